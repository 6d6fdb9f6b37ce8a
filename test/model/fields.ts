import { DECIMAL, decimal, isDay } from './exact.js';
import { ALLOCATION, type Line } from './facts.js';

/** The fields of each command, as the table of commands and the paragraph on bounds have them. */
type Check = (value: unknown) => boolean;
type Data = Line['data'];

export const DISTRICTS =
  '001 002 003 004 005 006 007 008 009 016 017 018 019 020 021 250 268 269 271 272 273 274 275 276 277 278 279 280 281 282'.split(
    ' ',
  );
export const CLASSES =
  'POOR NEAR_POOR ESCAPED_POVERTY ETHNIC_MINORITY DISABLED JOB_LOSS COVID_BUSINESS PRODUCTION_MODEL ENTERPRISE COOPERATIVE OTHER'.split(
    ' ',
  );
export const MASS = 'WOMEN FARMERS VETERANS YOUTH NONE'.split(' ');
export const MAX_AMOUNT = 10n ** 15n;

const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);
const oneOf =
  (...codes: readonly string[]): Check =>
  (value) =>
    typeof value === 'string' && codes.includes(value);
const whole =
  (from: number, to: number): Check =>
  (value) =>
    typeof value === 'number' && Number.isInteger(value) && value >= from && value <= to;
/** "Amounts in requests may be JSON integers or strings of digits." */
const isAmount =
  (from: bigint): Check =>
  (value) =>
    ((typeof value === 'number' && Number.isSafeInteger(value)) || matches(/^\d+$/)(value)) &&
    BigInt(value as number | string) >= from &&
    BigInt(value as number | string) <= MAX_AMOUNT;
const isDecimal =
  (from: bigint, below: bigint): Check =>
  (value) =>
    typeof value === 'string' && /^\d+(\.\d{1,12})?$/.test(value) && decimal(value) >= from && decimal(value) < below;

const id = matches(/^[A-Za-z0-9_-]{1,64}$/);
const number = matches(/^[!-~]{1,64}$/);
const words = matches(/^.{1,200}$/u);
const amount = isAmount(1n);
const share = isDecimal(0n, DECIMAL + 1n);
const district = oneOf(...DISTRICTS);
const commune = matches(/^\d{5}$/);
const borrowerClass = oneOf(...CLASSES);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** A name that ends in `?` may be left out; what is not named is refused. */
const record =
  (fields: Readonly<Record<string, Check>>): Check =>
  (value) =>
    isObject(value) &&
    Object.keys(value).every((name) => name in fields || `${name}?` in fields) &&
    Object.entries(fields).every(([name, check]) => {
      const plain = name.replace('?', '');
      return plain in value ? check(value[plain]) : name.endsWith('?');
    });
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

const target = record({
  year: whole(1990, 2199),
  capital: isAmount(0n),
  jobs: whole(0, 1_000_000_000),
  collectionRateAtLeast: share,
  overdueRatioBelow: share,
});
const allocation = record(Object.fromEntries(ALLOCATION.map((name) => [`${name}?`, isAmount(0n)])));
const fund = { programme: id, source: id, amount, decision: number };

interface Command {
  /** The stream that the command is about: the scope of its key. */
  readonly about: (data: Data) => string;
  readonly fields: Readonly<Record<string, Check>>;
}

const about =
  (category: string, ...names: readonly string[]) =>
  (data: Data): string =>
    [category, ...names.map((name) => String(data[name]))].join(' ');
const aboutFund = about('fund', 'programme', 'source');
const aboutLoan = about('loan', 'loan');

export const COMMANDS: Readonly<Record<string, Command>> = {
  'open-programme': {
    about: about('programme', 'programme'),
    fields: { programme: id, name: words, plan: number, from: isDay, to: isDay, targets: listOf(target) },
  },
  'publish-policy': {
    about: about('policy', 'programme'),
    fields: {
      programme: id,
      'source?': id,
      'borrowerClass?': borrowerClass,
      effectiveFrom: isDay,
      annualRate: isDecimal(0n, DECIMAL),
      overdueFactor: isDecimal(DECIMAL, 10n * DECIMAL + 1n),
      maxPerJob: amount,
      maxPerLoan: amount,
      maxTermMonths: whole(1, 600),
      arrearsOrder: oneOf('INTEREST_FIRST', 'PRINCIPAL_FIRST'),
      dueDayRoll: oneOf('NONE', 'FOLLOWING'),
      decision: number,
    },
  },
  'fund-tranche': { about: aboutFund, fields: fund },
  'allocate-capital': { about: aboutFund, fields: { ...fund, district } },
  'reallocate-capital': { about: aboutFund, fields: { ...fund, fromDistrict: district, toDistrict: district } },
  'register-group': {
    about: about('group', 'group'),
    fields: { group: id, district, commune, massOrganisation: oneOf(...MASS) },
  },
  'register-borrower': {
    about: about('borrower', 'borrower'),
    fields: {
      borrower: id,
      kind: oneOf('WORKER', 'ESTABLISHMENT'),
      borrowerClass,
      district,
      commune,
      'group?': id,
    },
  },
  'reclassify-borrower': {
    about: about('borrower', 'borrower'),
    fields: { borrower: id, borrowerClass, decision: number },
  },
  'apply-for-loan': {
    about: aboutLoan,
    fields: {
      loan: id,
      borrower: id,
      programme: id,
      source: id,
      amount,
      termMonths: whole(1, 600),
      installmentEveryMonths: whole(1, 120),
      jobs: whole(1, 10_000),
      purpose: words,
    },
  },
  'approve-loan': { about: aboutLoan, fields: { loan: id, amount, decision: number } },
  'reject-loan': { about: aboutLoan, fields: { loan: id, reason: words, decision: number } },
  'disburse-loan': { about: aboutLoan, fields: { loan: id, amount, voucher: number } },
  'record-payment': {
    about: aboutLoan,
    fields: {
      loan: id,
      amount,
      receipt: number,
      method: oneOf('CASH', 'TRANSFER', 'GROUP_LEADER'),
      'allocation?': allocation,
    },
  },
  'reverse-payment': { about: aboutLoan, fields: { loan: id, receipt: number, reason: words, decision: number } },
  'close-business-day': { about: () => 'businessDay', fields: { date: isDay } },
};

export const wellFormed = (line: Line): boolean => {
  const command = COMMANDS[line.command];
  return command !== undefined && record(command.fields)(line.data);
};

export const isKey = (value: unknown): boolean => matches(/^[!-}][!-~]{0,199}$/)(value);
export const isActor = matches(/^[!-~]{1,64}$/);

const AMOUNTS = new Set<string>(['amount', 'capital', 'maxPerJob', 'maxPerLoan', ...ALLOCATION]);

/** "the same body (command, value date and data, canonical, an amount the same as number or text)" */
export const bodyOf = (line: Line): string => {
  const canonical = (value: unknown, name: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => canonical(item, ''));
    if (isObject(value))
      return Object.keys(value)
        .sort()
        .map((key) => [key, canonical(value[key], key)]);
    return AMOUNTS.has(name) && typeof value === 'number' ? String(value) : value;
  };
  return JSON.stringify([line.command, line.valueDate ?? null, canonical(line.data, '')]);
};
