import type { Ledger } from '../../engine/ledger.js';
import type { LocalDate } from '../../kernel/dates.js';
import type { Refusal } from '../../kernel/decider.js';
import { date, type Fields, type Kind, optional, type Problem, pattern } from '../../kernel/fields.js';
import { err, ok, type Result } from '../../kernel/result.js';
import { type RefusalCode, refuse } from '../../lending/refusals.js';
import type { Query } from '../../projections/projection.js';

/** Parameters as they stand in an address or on a command line. */
export type GivenParameters = Readonly<Record<string, unknown>>;

/** A position, or positions by partition: which of them, the ledger knows. */
const TOKEN_PATTERN = '^([0-9]{20}|([0-9]{1,6}|[*]):[0-9]{20}(,([0-9]{1,6}|[*]):[0-9]{20})*)?$';

/** What every query takes beside its own parameters (contract §2). */
export const COMMON_PARAMETERS = {
  /** Default: the open business day. */
  asOf: optional(date()),
  /** Default: everything that is recorded. */
  knownOn: optional(date()),
  /** A command's token: the answer covers what that command wrote. */
  after: optional(pattern<string>(TOKEN_PATTERN, 'TOKEN_INVALID', 'a token from a command')),
} satisfies Fields;

/** Kinds that only the surface's own parameters are of, refused by their own names. */
const OWN_CODES: ReadonlySet<string> = new Set(['TOKEN_INVALID', 'BOOLEAN_INVALID']);

/** Reads parameters by a table: all of them, or each that cannot be read. */
export function readParameters(fields: Fields, given: GivenParameters): Result<Record<string, unknown>, Refusal> {
  const problems: Problem[] = [];
  const accepted = Object.keys(fields).join(', ');
  let name = '';
  for (const unknown of Object.keys(given).filter((key) => !Object.hasOwn(fields, key))) {
    name ||= unknown;
    problems.push({ field: unknown, code: 'PARAMETER_UNKNOWN', accepted: `only ${accepted}` });
  }
  const values: Record<string, unknown> = {};
  for (const [field, kind] of Object.entries(fields)) {
    const value = readParameter(kind, Object.hasOwn(given, field) ? given[field] : undefined);
    if (value.ok) values[field] = value.value;
    else {
      name ||= field;
      problems.push({ field, code: OWN_CODES.has(kind.code) ? kind.code : 'PARAMETER_INVALID', accepted: value.error });
    }
  }
  const [first] = problems;
  if (first === undefined) return ok(values);
  return err({ code: first.code, errors: problems, params: { name: name.slice(0, 100), accepted: first.accepted } });
}

function readParameter(kind: Kind<unknown>, given: unknown): Result<unknown, string> {
  if (given === undefined) return kind.optional ? ok(null) : err(kind.accepted);
  // A parameter that is given twice comes as a list: which one was meant is not guessed.
  if (typeof given !== 'string') return err(`${kind.accepted}, once`);
  const problems: Problem[] = [];
  const value = kind.read(kind.fromText(given), '', problems);
  return problems.length === 0 ? ok(value) : err(kind.accepted);
}

/** Answers a query from its parameters as given. A refusal is a value; a store that is away is an exception. */
export async function ask(ledger: Ledger, query: Query, given: GivenParameters): Promise<Result<unknown, Refusal>> {
  const read = readParameters({ ...query.parameters, ...COMMON_PARAMETERS }, given);
  if (!read.ok) return read;
  const { asOf, knownOn, after, ...parameters } = read.value;
  const today = ledger.today();
  const day = (asOf as LocalDate | null) ?? (await ledger.calendar()).open ?? today;
  const answer = await ledger.read(query.model, after as string | null, (view) =>
    query.run(view, parameters, { asOf: day, knownOn: knownOn as LocalDate | null, today }),
  );
  if (answer !== null) return ok(answer);
  const [field = ''] = Object.keys(query.parameters);
  return refuse((query.missing ?? 'LOAN_NOT_KNOWN') as RefusalCode, field);
}

/** The rows of an answer, for those who want rows: the list that the query names, or the answer as one row. */
export function rowsOf(query: Query, answer: unknown): readonly unknown[] {
  const rows = query.rows === undefined ? undefined : (answer as Readonly<Record<string, unknown>>)[query.rows];
  return Array.isArray(rows) ? rows : [answer];
}

/** The columns of an answer without rows. */
export function columnsOf(answer: unknown, given: GivenParameters): readonly string[] {
  const { total } = answer as { readonly total?: unknown };
  const by = typeof given.by === 'string' ? given.by.split(',').filter((name) => name !== '') : [];
  return [...by, ...(typeof total === 'object' && total !== null ? Object.keys(total) : [])];
}
