import type { LocalDate } from '../../kernel/dates.js';
import { type DataOf, optional } from '../../kernel/fields.js';
import { amountJson } from '../../kernel/money.js';
import type { ReadView } from '../../read-store/port.js';
import { amountOf, sumCells, textIn } from '../cube.js';
import { names } from '../parameters.js';
import type { AsOf, Query } from '../projection.js';
import { BALANCES, MEASURES, type Measure } from './documents.js';

/** A row is always of one district: naming it changes nothing. */
const parameters = { by: optional(names(['source', 'programme', 'district'])) };

type Money = number | string;

export interface BalanceFigures {
  readonly allocated: Money;
  readonly committed: Money;
  readonly disbursed: Money;
  readonly principalCollected: Money;
  readonly principalReturned: Money;
  readonly outstanding: Money;
  readonly writtenOff: Money;
  readonly idle: Money;
  readonly available: Money;
}

export interface DistrictBalances {
  readonly asOf: LocalDate;
  readonly knownOn: LocalDate;
  readonly rows: readonly (BalanceFigures & {
    readonly district: string;
    readonly source?: string;
    readonly programme?: string;
  })[];
  readonly total: BalanceFigures;
}

export const districtBalancesQuery: Query<typeof parameters, DistrictBalances> = {
  name: 'district-balances',
  summary: "Each district's capital: allocated, lent, recovered, idle and available.",
  model: 'district-balances',
  parameters,
  rows: 'rows',
  run,
};

async function run(view: ReadView, { by }: DataOf<typeof parameters>, at: AsOf): Promise<DistrictBalances> {
  const keys = [...new Set(['district' as const, ...(by ?? [])])];
  const { asOf, knownOn } = at;
  const found = await sumCells(view, BALANCES, {
    ...{ by: keys, measures: MEASURES, knownOn },
    value: { from: null, to: asOf },
  });
  const rows = [];
  let total = NOTHING;
  for (const row of found) {
    const sums = Object.fromEntries(MEASURES.map((measure) => [measure, BigInt(amountOf(row, measure))])) as Balances;
    if (sums.entries === 0n) continue;
    total = Object.fromEntries(MEASURES.map((measure) => [measure, total[measure] + sums[measure]])) as Balances;
    const own = Object.fromEntries(keys.map((key) => [key, textIn(row, key)]));
    rows.push({
      order: keys.map((key) => own[key]),
      row: { district: own.district as string, ...own, ...figuresOf(sums) },
    });
  }
  rows.sort((a, b) => compare(a.order, b.order));
  return { asOf, knownOn: knownOn ?? at.today, rows: rows.map(({ row }) => row), total: figuresOf(total) };
}

type Balances = Readonly<Record<Measure, bigint>>;

const NOTHING = Object.fromEntries(MEASURES.map((measure) => [measure, 0n])) as Balances;

/** The identities of contract §2, Balances. */
function figuresOf(sums: Balances): BalanceFigures {
  const { allocated, committed, disbursed, principalCollected, principalReturned } = sums;
  // Nothing writes off yet (a later issue).
  const writtenOff = 0n;
  const outstanding = disbursed - principalCollected - writtenOff;
  const idle = allocated - outstanding - writtenOff;
  return {
    allocated: amountJson(allocated),
    committed: amountJson(committed),
    disbursed: amountJson(disbursed),
    principalCollected: amountJson(principalCollected),
    principalReturned: amountJson(principalReturned),
    outstanding: amountJson(outstanding),
    writtenOff: amountJson(writtenOff),
    idle: amountJson(idle),
    available: amountJson(idle - committed - (principalCollected - principalReturned)),
  };
}

function compare(a: readonly (string | undefined)[], b: readonly (string | undefined)[]): number {
  const index = a.findIndex((value, place) => value !== b[place]);
  return index < 0 ? 0 : (a[index] ?? '') < (b[index] ?? '') ? -1 : 1;
}
