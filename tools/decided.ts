import ts from 'typescript';

/*
 * Which events a command's decision can make and how it can refuse, read from the code of `decide` itself: a list kept
 * by hand would be right on the day that it was written.
 */

export interface Outcome {
  readonly events: readonly string[];
  readonly refusals: readonly string[];
}

export interface Outcomes {
  /** By the command's name. */
  readonly commands: ReadonlyMap<string, Outcome>;
  /** By the type of the event that leaves an append to do: what the process may append. */
  readonly transfers: ReadonlyMap<string, Outcome>;
}

/** More texts than this is a type, not a choice of the code. */
const CHOICES_MAX = 8;

/** Reads the decisions of `libs/lending` under `root`. `known` are the names of all events. */
export function readOutcomes(root: string, known: ReadonlySet<string>): Outcomes {
  const rooms = `${root}/libs/lending`;
  const files = ts.sys
    .readDirectory(rooms, ['.ts'])
    .filter((path) => !/(\.(spec|model)|\/(scenario|examples))\.ts$/.test(path));
  const { options } = ts.parseJsonConfigFileContent({ extends: `${root}/tsconfig.json` }, ts.sys, root);
  const program = ts.createProgram(files, options);
  const reader = new Reader(program.getTypeChecker(), rooms, known);
  const sources = files.map((path) => program.getSourceFile(path)).filter((source) => source !== undefined);
  return {
    commands: new Map(sources.flatMap((source) => reader.commands(source))),
    transfers: new Map(
      sources.filter(({ fileName }) => fileName.includes('/processes/')).flatMap((source) => reader.cases(source)),
    ),
  };
}

class Reader {
  constructor(
    private readonly checker: ts.TypeChecker,
    private readonly rooms: string,
    private readonly known: ReadonlySet<string>,
  ) {}

  /** `command({ name, …, decide })` wherever it stands. */
  commands(source: ts.SourceFile): (readonly [string, Outcome])[] {
    return below(source, ts.isCallExpression).flatMap((call) => {
      const [entry] = call.arguments;
      if (call.expression.getText() !== 'command' || entry === undefined || !ts.isObjectLiteralExpression(entry)) {
        return [];
      }
      const member = (name: string) => entry.properties.find((property) => property.name?.getText() === name);
      const [name, decide] = [member('name'), member('decide')];
      if (name === undefined || decide === undefined || !ts.isPropertyAssignment(name)) return [];
      return [[textOf(name.initializer), this.outcome(decide)] as const];
    });
  }

  /** The cases of the function `next` of a process. */
  cases(source: ts.SourceFile): (readonly [string, Outcome])[] {
    const next = source.statements.find((node) => ts.isFunctionDeclaration(node) && node.name?.text === 'next');
    return next === undefined
      ? []
      : below(next, ts.isCaseClause).map((clause) => [textOf(clause.expression), this.outcome(clause)] as const);
  }

  outcome(start: ts.Node): Outcome {
    const [events, refusals, seen] = [new Set<string>(), new Set<string>(), new Set<ts.Node>()];
    const visit = (node: ts.Node): void => {
      if (ts.isTypeNode(node) || seen.has(node)) return;
      seen.add(node);
      if (ts.isPropertyAssignment(node) && node.name.getText() === 'type') {
        for (const text of this.#texts(node.initializer)) if (this.known.has(text)) events.add(text);
      }
      if (ts.isCallExpression(node) && node.expression.getText() === 'refuse' && node.arguments[0] !== undefined) {
        for (const text of this.#texts(node.arguments[0])) refusals.add(text);
      }
      if (ts.isIdentifier(node)) for (const declared of this.#declarations(node)) visit(declared);
      ts.forEachChild(node, visit);
    };
    visit(start);
    return { events: [...events].sort(), refusals: [...refusals].sort() };
  }

  /** The functions of the domain that a name stands for. A state's own code makes no events. */
  #declarations(node: ts.Identifier): readonly ts.Node[] {
    let symbol = ts.isShorthandPropertyAssignment(node.parent)
      ? this.checker.getShorthandAssignmentValueSymbol(node.parent)
      : this.checker.getSymbolAtLocation(node);
    if (symbol !== undefined && symbol.flags & ts.SymbolFlags.Alias) symbol = this.checker.getAliasedSymbol(symbol);
    return (symbol?.declarations ?? []).filter((declared) => {
      const file = declared.getSourceFile().fileName;
      const ofRooms = file.startsWith(`${this.rooms}/`) && !/\/(state|events|refusals)\.ts$/.test(file);
      return ofRooms && (ts.isFunctionDeclaration(declared) || isArrow(declared));
    });
  }

  #texts(node: ts.Expression): readonly string[] {
    if (ts.isStringLiteral(node)) return [node.text];
    const type = this.checker.getTypeAtLocation(node);
    const choices = type.isUnion() ? type.types : [type];
    return choices.length > CHOICES_MAX ? [] : choices.flatMap((one) => (one.isStringLiteral() ? [one.value] : []));
  }
}

const isArrow = (node: ts.Node): boolean =>
  ts.isVariableDeclaration(node) && node.initializer !== undefined && ts.isArrowFunction(node.initializer);

const textOf = (node: ts.Node): string => (ts.isStringLiteral(node) ? node.text : node.getText());

function below<T extends ts.Node>(node: ts.Node, is: (node: ts.Node) => node is T): T[] {
  const found: T[] = [];
  const visit = (child: ts.Node): void => {
    if (is(child)) found.push(child);
    ts.forEachChild(child, visit);
  };
  visit(node);
  return found;
}
