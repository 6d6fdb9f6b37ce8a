import { canonicalJson } from './canonical-json.js';
import { DATE_MAX, DATE_MIN, type LocalDate, parseDate } from './dates.js';
import { AMOUNT_MAX, type Dong } from './money.js';
import { type Rate, scaleText } from './rate.js';
import { err, ok, type Result } from './result.js';

/*
 * A command or an event is a table of fields, said once. Types, JSON Schema, DTOs, flags, the bulk reader's check and
 * the reference are all derived from the kinds below; each kind also says what it would have accepted.
 */

/** What is wrong with one field: its path, a stable code, and what would be accepted. */
export interface Problem {
  readonly field: string;
  readonly code: string;
  readonly accepted: string;
}

export type JsonSchema = Readonly<Record<string, unknown>>;

/** A kind of field whose values are of type `T` once read. */
export interface Kind<T> {
  readonly schema: JsonSchema;
  readonly code: string;
  readonly accepted: string;
  readonly optional: boolean;
  /** The value as `T`; on a problem adds to `problems`, and what it returns is not to be used. */
  read(value: unknown, field: string, problems: Problem[]): T;
  /** The form under which two bodies count as the same: an amount is one as number or text. */
  normal(value: unknown): unknown;
  /** Canonical JSON of a value of this kind: that of `canonicalJson`, and sooner. */
  canonical(value: unknown): string;
  /** A command line's text as the value that JSON would have. */
  fromText(text: string): unknown;
}

export type Fields = Readonly<Record<string, Kind<unknown>>>;
export type DataOf<F extends Fields> = { readonly [K in keyof F]: F[K] extends Kind<infer T> ? T : never };

declare const idBrand: unique symbol;
/** An identifier of the caller's: 1 to 64 letters, digits, `-` and `_`. */
export type Id<Of extends string> = string & { readonly [idBrand]: Of };

/** Reads `value` by a table: every problem of every field, or the data with absent optional fields as null. */
export function readFields<F extends Fields>(fields: F, value: unknown, at = ''): Result<DataOf<F>, Problem[]> {
  const problems: Problem[] = [];
  const data = readRecord(fields, value, at, problems);
  return problems.length === 0 ? ok(data as DataOf<F>) : err(problems);
}

/** The canonical form of a body as sent: amounts as numbers, everything else untouched. */
export function normalFields(fields: Fields, value: unknown): unknown {
  if (!isObject(value)) return value;
  const normal: Record<string, unknown> = {};
  for (const name of Object.keys(value)) {
    const kind = Object.hasOwn(fields, name) ? fields[name] : undefined;
    defineMember(normal, name, kind === undefined ? value[name] : kind.normal(value[name]));
  }
  return normal;
}

/** Canonical JSON of the normal form of a body, by a table: that of `canonicalJson(normalFields(…))`, and sooner. */
export function normalCanonicalOf(fields: Fields): (value: unknown) => string {
  const members = Object.keys(fields)
    .sort()
    .map((name) => ({ name, begins: `${canonicalJson(name)}:`, kind: fields[name] as Kind<unknown> }));
  return (value) => {
    let text = '{';
    let found = 0;
    if (isObject(value)) {
      for (const { name, begins, kind } of members) {
        if (!Object.hasOwn(value, name)) continue;
        text += (found++ === 0 ? '' : ',') + begins + canonicalJson(kind.normal(value[name]));
      }
      if (found === countMembers(value)) return `${text}}`;
    }
    return canonicalJson(normalFields(fields, value));
  };
}

/** Canonical JSON by a table, whose members are put in order once; a value of another form takes the long way. */
export function canonicalOf(fields: Fields): (value: unknown) => string {
  const names = Object.keys(fields).sort();
  const members = names.map((name, index) => ({
    name,
    begins: `${index === 0 ? '{' : ','}${canonicalJson(name)}:`,
    kind: fields[name] as Kind<unknown>,
  }));
  return (value) => {
    if (!isObject(value) || members.length === 0 || countMembers(value) !== members.length) return canonicalJson(value);
    let text = '';
    for (const { name, begins, kind } of members) {
      const member = value[name];
      if (member === undefined) return canonicalJson(value);
      text += begins + kind.canonical(member);
    }
    return `${text}}`;
  };
}

/** JSON Schema of a table: an object without further members. */
export function schemaOf(fields: Fields): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    required: Object.keys(fields).filter((name) => !fields[name]?.optional),
    properties: Object.fromEntries(Object.entries(fields).map(([name, kind]) => [name, kind.schema])),
  };
}

// ------------------------------------------------------------------------------------------------------- kinds

const DIGITS = /^\d{1,20}$/;

/** Đồng, from `min` to `max`: a JSON integer or a string of digits. */
export function amount(min = 1, max = AMOUNT_MAX): Kind<Dong> {
  const toNumber = (value: unknown) => (typeof value === 'string' && DIGITS.test(value) ? Number(value) : value);
  return kind<Dong>({
    schema: {
      anyOf: [
        { type: 'integer', minimum: min, maximum: max },
        { type: 'string', pattern: '^\\d{1,20}$' },
      ],
    },
    code: 'AMOUNT_INVALID',
    accepted: `a whole number of đồng from ${min} to ${max}, as an integer or as text of digits`,
    parse: (value) => {
      const number = toNumber(value);
      return typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max
        ? (number as Dong)
        : undefined;
    },
    normal: (value) => {
      const number = toNumber(value);
      return typeof number === 'number' && Number.isSafeInteger(number) ? number : value;
    },
  });
}

/** An amount that only the ledger writes: any sign, below 2^53. */
export function signedAmount(): Kind<Dong> {
  return kind<Dong>({
    schema: { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
    code: 'AMOUNT_INVALID',
    accepted: 'a whole number of đồng',
    parse: (value) => (Number.isSafeInteger(value) ? (value as Dong) : undefined),
  });
}

/** A whole number as a JSON number; both ends included. */
export function integer(min: number, max: number): Kind<number> {
  return kind<number>({
    schema: { type: 'integer', minimum: min, maximum: max },
    code: 'INTEGER_INVALID',
    accepted: `a whole number from ${min} to ${max}`,
    parse: (value) =>
      typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max ? value : undefined,
    fromText: (text) => (/^-?\d+$/.test(text) ? Number(text) : text),
  });
}

/** true or false, nothing that only looks like it. */
export function flag(): Kind<boolean> {
  return kind<boolean>({
    schema: { type: 'boolean' },
    code: 'BOOLEAN_INVALID',
    accepted: 'true or false',
    parse: (value) => (typeof value === 'boolean' ? value : undefined),
    fromText: (text) => (text === 'true' ? true : text === 'false' ? false : text),
  });
}

/** An identifier of the caller's. `_of` says of what, for the type alone. */
export function id<Of extends string>(_of: Of): Kind<Id<Of>> {
  return pattern<Id<Of>>('^[A-Za-z0-9_-]{1,64}$', 'ID_INVALID', '1 to 64 letters, digits, - and _');
}

/** One word of visible characters: a number of a receipt, a voucher or a decision (`159/KH-UBND`). */
export function reference(max = 64): Kind<string> {
  return pattern<string>(
    `^[\\p{L}\\p{M}\\p{N}\\p{P}\\p{S}]{1,${max}}$`,
    'REFERENCE_INVALID',
    `1 to ${max} visible characters without spaces, such as 159/KH-UBND`,
  );
}

/** Words for people: no control characters, not blank. */
export function words(max = 500): Kind<string> {
  return pattern<string>(
    `^(?=.*\\S)[^\\p{Cc}\\p{Cs}]{1,${max}}$`,
    'TEXT_INVALID',
    `1 to ${max} characters on one line, not only spaces`,
  );
}

/** A day that exists, within the years that are reckoned with. */
export function date(): Kind<LocalDate> {
  return kind<LocalDate>({
    schema: { type: 'string', format: 'date' },
    code: 'DATE_INVALID',
    accepted: `a day that exists, YYYY-MM-DD, from ${DATE_MIN} to ${DATE_MAX}`,
    parse: (value) => {
      const day = typeof value === 'string' ? parseDate(value) : null;
      return day !== null && day >= DATE_MIN && day <= DATE_MAX ? day : undefined;
    },
  });
}

/** A decimal fraction as text, at most twelve decimals, from `min` to `max` (or to below `max`). */
export function rate(min: string, max: string, options: { readonly below?: boolean } = {}): Kind<Rate> {
  const [low, high] = [scaleText(min) as bigint, scaleText(max) as bigint];
  return kind<Rate>({
    schema: { type: 'string', pattern: '^(0|[1-9]\\d{0,3})(\\.\\d{1,12})?$' },
    code: 'RATE_INVALID',
    accepted: `a decimal fraction as text, such as "0.0792", from ${min} to ${options.below ? 'below ' : ''}${max}, at most 12 decimals`,
    parse: (value) => {
      const parts = typeof value === 'string' ? scaleText(value) : null;
      if (parts === null || parts < low || parts > high || (options.below && parts === high)) return undefined;
      return value as Rate;
    },
  });
}

/** One of the codes of a list; `code` names the refusal where a list has one of its own. */
export function oneOf<T extends string>(values: readonly T[], code = 'CODE_UNKNOWN'): Kind<T> {
  const known = new Set<unknown>(values);
  return kind<T>({
    schema: { type: 'string', enum: values },
    code,
    accepted: `one of ${values.join(', ')}`,
    parse: (value) => (known.has(value) ? (value as T) : undefined),
  });
}

/** Text of a form that a regular expression tells, by code points. */
export function pattern<T extends string>(source: string, code: string, accepted: string): Kind<T> {
  const form = new RegExp(source, 'u');
  return kind<T>({
    schema: { type: 'string', pattern: source },
    code,
    accepted,
    parse: (value) => (typeof value === 'string' && form.test(value) ? (value as T) : undefined),
  });
}

/** A field that may be left out or null, and is null then. */
export function optional<T>(of: Kind<T>): Kind<T | null> {
  return {
    ...of,
    schema: { anyOf: [of.schema, { type: 'null' }] },
    optional: true,
    read: (value, field, problems) => (value === undefined || value === null ? null : of.read(value, field, problems)),
    canonical: (value) => (value === null ? 'null' : of.canonical(value)),
  };
}

/** A field of an event that is always there and may be null: `null` says that there is none. */
export function nullable<T>(of: Kind<T>): Kind<T | null> {
  return { ...optional(of), optional: false };
}

/** A list of at most `max`: every bound is named. */
export function list<T>(of: Kind<T>, max: number): Kind<readonly T[]> {
  const accepted = `a list of at most ${max}, each ${of.accepted}`;
  return {
    schema: { type: 'array', items: of.schema, maxItems: max },
    code: 'LIST_INVALID',
    accepted,
    optional: false,
    read: (value, field, problems) => {
      if (!Array.isArray(value) || value.length > max) {
        problems.push({ field, code: 'LIST_INVALID', accepted });
        return [];
      }
      return value.map((item, index) => of.read(item, `${field}[${index}]`, problems));
    },
    normal: (value) => (Array.isArray(value) ? value.map((item) => of.normal(item)) : value),
    canonical: (value) =>
      Array.isArray(value) ? `[${value.map((item) => of.canonical(item)).join(',')}]` : canonicalJson(value),
    fromText: jsonOrText,
  };
}

/** A nested table. */
export function record<F extends Fields>(fields: F): Kind<DataOf<F>> {
  return {
    schema: schemaOf(fields),
    code: 'OBJECT_INVALID',
    accepted: `an object of ${Object.keys(fields).join(', ')}`,
    optional: false,
    read: (value, field, problems) => readRecord(fields, value, field, problems) as DataOf<F>,
    normal: (value) => normalFields(fields, value),
    canonical: canonicalOf(fields),
    fromText: jsonOrText,
  };
}

// ----------------------------------------------------------------------------------------------------- helpers

interface Scalar<T> {
  readonly schema: JsonSchema;
  readonly code: string;
  readonly accepted: string;
  /** The value, or undefined when it is not of this kind. */
  parse(value: unknown): T | undefined;
  readonly normal?: (value: unknown) => unknown;
  readonly fromText?: (text: string) => unknown;
}

function kind<T>(scalar: Scalar<T>): Kind<T> {
  return {
    schema: { ...scalar.schema, description: scalar.accepted },
    code: scalar.code,
    accepted: scalar.accepted,
    optional: false,
    read: (value, field, problems) => {
      const parsed = scalar.parse(value);
      if (parsed === undefined) problems.push({ field, code: scalar.code, accepted: scalar.accepted });
      return parsed as T;
    },
    normal: scalar.normal ?? ((value) => value),
    canonical: canonicalJson,
    fromText: scalar.fromText ?? ((text) => text),
  };
}

function readRecord(fields: Fields, value: unknown, at: string, problems: Problem[]): Record<string, unknown> {
  const data: Record<string, unknown> = {};
  if (!isObject(value)) {
    problems.push({ field: at, code: 'OBJECT_INVALID', accepted: `an object of ${Object.keys(fields).join(', ')}` });
    return data;
  }
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(fields, name)) continue;
    problems.push({
      field: pathOf(at, name),
      code: 'FIELD_UNKNOWN',
      accepted: `only ${Object.keys(fields).join(', ')}`,
    });
  }
  for (const name in fields) {
    const kind = fields[name] as Kind<unknown>;
    const member = Object.hasOwn(value, name) ? value[name] : undefined;
    if (member === undefined && !kind.optional) {
      problems.push({ field: pathOf(at, name), code: 'FIELD_MISSING', accepted: kind.accepted });
    } else {
      data[name] = kind.read(member, pathOf(at, name), problems);
    }
  }
  return data;
}

const pathOf = (at: string, name: string): string => (at === '' ? name : `${at}.${name}`);

// `__proto__` is a member like any other in JSON, and must not become a prototype here.
function defineMember(target: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') target[name] = value;
  else Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function countMembers(value: object): number {
  let count = 0;
  for (const _ in value) count++;
  return count;
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
