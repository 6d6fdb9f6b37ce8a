import ts from 'typescript';

/*
 * Style as a check: what a reviewer would say again and again, said once. Formatting, unused names and non-null
 * assertions are the linter's; who may import whom is `.dependency-cruiser.cjs`.
 */

export const FUNCTION_LINES_MAX = 70;
export const FILE_LINES_MAX = 400;

/** A file of the repository: its path from the root, with slashes, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

export interface Finding {
  readonly rule: string;
  readonly at: string;
  readonly what: string;
}

const BANNED_NAMES = new Set(['utils', 'util', 'common', 'base', 'manager', 'managers', 'helpers', 'helper', 'misc']);
/** In pieces, so that this file does not find itself. */
const UNFINISHED = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X', 'HA' + 'CK'].join('|')})\\b`);
const WORKPLACE = new RegExp(`(^|[^\\w.:/-])/(${['work', 'home', 'root', 'Users', 'workspace', 'mnt'].join('|')})/\\w`);
const PURE = /^libs\/(lending|projections)\//;
const DOCUMENTED = /^libs\/(kernel|proof|engine|event-store|read-store|messaging)\//;
const TEST = /\.(spec|model)\.ts$|\/(contract|testing)(\/|\.ts$)/;
/** What a value cannot follow from: what a pure room would have to be handed. */
const AMBIENT = new Set(['Date', 'process', 'performance', 'setTimeout', 'setInterval', 'fetch', 'console', 'Intl']);

/** All findings of the rules that look at one file by itself. */
export function tidy(file: SourceFile): readonly Finding[] {
  const findings = [...namesOf(file), ...textOf(file)];
  return file.path.endsWith('.ts') ? [...findings, ...codeOf(file)] : findings;
}

function namesOf({ path }: SourceFile): Finding[] {
  const banned = path.split('/').filter((part) => part.split(/[.-]/).some((word) => BANNED_NAMES.has(word)));
  return banned.map((part) => ({ rule: 'names', at: path, what: `${part} is named for no content` }));
}

function textOf({ path, text }: SourceFile): Finding[] {
  const findings: Finding[] = [];
  const lines = text.split('\n');
  const count = lines.at(-1) === '' ? lines.length - 1 : lines.length;
  if (/\.([cm]?[jt]s|css|html)$/.test(path) && count > FILE_LINES_MAX) {
    findings.push({ rule: 'file-length', at: path, what: `${count} lines, at most ${FILE_LINES_MAX}` });
  }
  lines.forEach((line, index) => {
    const at = `${path}:${index + 1}`;
    const unfinished = UNFINISHED.exec(line)?.[1];
    if (unfinished !== undefined) findings.push({ rule: 'unfinished', at, what: unfinished });
    if (WORKPLACE.test(line)) findings.push({ rule: 'workplace', at, what: line.trim().slice(0, 80) });
  });
  return findings;
}

function codeOf({ path, text }: SourceFile): Finding[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2023, true);
  const findings: Finding[] = [];
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;
  const found = (rule: string, node: ts.Node, what: string) =>
    findings.push({ rule, at: `${path}:${lineOf(node.getStart())}`, what });
  const visit = (node: ts.Node): void => {
    for (const rule of RULES) rule(node, path, (what) => found(nameOf(rule), node, what));
    ts.forEachChild(node, visit);
  };
  visit(source);
  return findings;
}

type Rule = (node: ts.Node, path: string, found: (what: string) => void) => void;

const nameOf = (rule: Rule): string => rule.name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

// ------------------------------------------------------------------------------------------------------- the rules

/** A function fits a screen. What a spec lists inside `describe` or `test` is measured each by itself. */
const functionLength: Rule = (node, _, found) => {
  if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
  const lines = linesOf(node) - listedLines(node);
  if (lines > FUNCTION_LINES_MAX) found(`${lines} lines, at most ${FUNCTION_LINES_MAX}`);
};

const noEnum: Rule = (node, _, found) => {
  if (ts.isEnumDeclaration(node)) found(`enum ${node.name.text}: a union of texts says the same and is what is stored`);
};

const noDefaultExport: Rule = (node, _, found) => {
  const modified = ts.canHaveModifiers(node)
    ? ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword)
    : false;
  if (modified || (ts.isExportAssignment(node) && !node.isExportEquals)) found('a default export has no name to find');
};

const noBarrel: Rule = (node, path, found) => {
  if (ts.isExportDeclaration(node) && node.exportClause === undefined) found('export * hides whose a name is');
  if (ts.isSourceFile(node) && path.endsWith('/index.ts')) found('a file is named for what it holds');
};

const noAny: Rule = (node, _, found) => {
  if (node.kind === ts.SyntaxKind.AnyKeyword) found('any: say unknown and check it');
};

/** `cond ? describe : describe.skip` stays: it says in the open what is not there to be tested. */
const noNarrowedTests: Rule = (node, path, found) => {
  if (!path.endsWith('.ts') || !(path.includes('.spec.') || TEST.test(path))) return;
  if (
    ts.isCallExpression(node) &&
    ts.isIdentifier(node.expression) &&
    /^[fx](it|test|describe)$/.test(node.expression.text)
  ) {
    found(node.expression.text);
  }
  if (!ts.isPropertyAccessExpression(node) || !/^(it|test|describe)\b/.test(node.expression.getText())) return;
  const narrowed = node.name.text === 'only' || node.name.text === 'todo';
  if (narrowed || (node.name.text === 'skip' && !ts.isConditionalExpression(node.parent))) found(node.getText());
};

/** Time, randomness and I/O come in as arguments. */
const pureRooms: Rule = (node, path, found) => {
  if (!PURE.test(path) || TEST.test(path) || !ts.isIdentifier(node)) return;
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    if (parent.getText() === 'Math.random') found('Math.random');
    return;
  }
  const named = ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) ? parent.name === node : false;
  const declared = 'name' in parent && parent.name === node;
  if (AMBIENT.has(node.text) && !named && !declared && !ts.isImportSpecifier(parent)) found(node.text);
};

const exportsDocumented: Rule = (node, path, found) => {
  if (!DOCUMENTED.test(path) || TEST.test(path)) return;
  if (!ts.isFunctionDeclaration(node) && !ts.isClassDeclaration(node)) return;
  const exported = ts.getModifiers(node)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
  // An error is documented by its name and its fields.
  const error = ts.isClassDeclaration(node) && parentsOf(node).includes('Error');
  if (!exported || error) return;
  const text = node.getSourceFile().text;
  if ((ts.getLeadingCommentRanges(text, node.getFullStart()) ?? []).length === 0) {
    found(`${node.name?.text} says nothing of its promise`);
  }
};

/** Composition over inheritance; an error may be told apart by its class. */
const noInheritance: Rule = (node, path, found) => {
  if (!path.startsWith('libs/') || path.startsWith('libs/surface/') || TEST.test(path)) return;
  if (!ts.isClassDeclaration(node)) return;
  const parents = parentsOf(node).filter((name) => !name.endsWith('Error'));
  if (parents.length > 0) found(`${node.name?.text} extends ${parents.join()}`);
};

const RULES: readonly Rule[] = [
  functionLength,
  noEnum,
  noDefaultExport,
  noBarrel,
  noAny,
  noNarrowedTests,
  pureRooms,
  exportsDocumented,
  noInheritance,
];

/** The names of all rules: each has a case in the spec. */
export const RULE_NAMES: readonly string[] = ['names', 'file-length', 'unfinished', 'workplace', ...RULES.map(nameOf)];

// --------------------------------------------------------------------------------------------------------- counting

function linesOf(node: ts.Node): number {
  const source = node.getSourceFile();
  const line = (position: number) => source.getLineAndCharacterOfPosition(position).line;
  return line(node.end) - line(node.getStart()) + 1;
}

/** The lines of what is listed in calls of describe, test and the like, below a node. */
function listedLines(node: ts.Node): number {
  let lines = 0;
  const visit = (child: ts.Node): void => {
    const listed = ts.isCallExpression(child) && /^(describe|test|it|before|after)\b/.test(child.expression.getText());
    if (listed) lines += linesOf(child);
    else ts.forEachChild(child, visit);
  };
  ts.forEachChild(node, visit);
  return lines;
}

function parentsOf(node: ts.ClassDeclaration): string[] {
  const clauses = node.heritageClauses?.filter(({ token }) => token === ts.SyntaxKind.ExtendsKeyword) ?? [];
  return clauses.flatMap(({ types }) => types.map((type) => type.expression.getText()));
}
