import { amountJson } from '../../kernel/money.js';
import { districtFundStream, fundStream } from '../../lending/vocabulary.js';
import type { ReadView } from '../../read-store/port.js';
import { isDivided, levelOf } from '../level.js';
import type { Query } from '../projection.js';
import {
  CLOSES,
  CONTROLS,
  DAY_MEASURES,
  DAYS,
  FUND_MEASURES,
  FUNDS,
  SOURCE_MEASURES,
  SOURCES,
  totalOf,
  UNDER_WAY,
  VIOLATIONS,
} from './documents.js';

/** So many are named; that there are more is said. */
export const VIOLATIONS_SHOWN_MAX = 1_000;

const parameters = {};

export interface Check {
  readonly name: string;
  /** The stream of the fund or of the district's fund, or the business day. */
  readonly scope: string;
  readonly left: number | string;
  readonly right: number | string;
  readonly holds: boolean;
}

export interface Violation {
  readonly position: string;
  readonly type: string;
  readonly stream: string;
  readonly rule: string;
  readonly left: string;
  readonly right: string;
}

export interface Invariants {
  readonly holds: boolean;
  readonly checks: readonly Check[];
  readonly violations: readonly Violation[];
  readonly moreViolations: boolean;
}

/** Of everything recorded, whatever day is asked for: an invariant has no day. */
export const invariantsQuery: Query<typeof parameters, Invariants> = {
  name: 'invariants',
  summary: 'What must always hold, with both sides of each identity, and the events that break a rule.',
  model: 'invariants',
  parameters,
  rows: 'checks',
  run,
};

async function run(view: ReadView): Promise<Invariants> {
  const funds = await sums(view, FUNDS, ['programme', 'source', 'district'], FUND_MEASURES);
  const sources = await sums(view, SOURCES, ['programme', 'source'], SOURCE_MEASURES);
  const days = await sums(view, DAYS, ['day'], DAY_MEASURES);
  const divided = isDivided(view);
  const checks = [
    ...sources.flatMap((of) =>
      sourceChecks(
        of,
        funds.filter((fund) => sameSource(fund, of)),
        divided,
      ),
    ),
    ...funds.flatMap((fund) => fundChecks(fund, divided)),
    ...dayChecks(days, await closedDays(view)),
  ];
  const violations: Violation[] = [];
  for await (const found of view.find(VIOLATIONS, { limit: VIOLATIONS_SHOWN_MAX + 1 })) {
    // Written by project.ts.
    const { position, type, stream, rule, left, right } = found as unknown as Violation;
    violations.push({ position, type, stream, rule, left, right });
  }
  return {
    holds: violations.length === 0 && checks.every(({ holds }) => holds),
    checks,
    violations: violations.slice(0, VIOLATIONS_SHOWN_MAX),
    moreViolations: violations.length > VIOLATIONS_SHOWN_MAX,
  };
}

// --------------------------------------------------------------------------------------------------------- identities

type Summed<Name extends string, Measure extends string> = Readonly<Record<Name, string>> &
  Readonly<Record<Measure, bigint>>;
type Fund = Summed<'programme' | 'source' | 'district', (typeof FUND_MEASURES)[number]>;
type Source = Summed<'programme' | 'source', (typeof SOURCE_MEASURES)[number]>;
type Day = Summed<'day', (typeof DAY_MEASURES)[number]>;

/** Nothing writes off yet (a later issue). */
const WRITTEN_OFF = 0n;

/**
 * funded = outstanding + written off + idle in districts + unallocated + in transit, none of them below zero. What goes
 * from one stream to another may be below zero for a moment where they are followed apart: there its days tell.
 */
function sourceChecks(of: Source, funds: readonly Fund[], divided: boolean): readonly Check[] {
  const scope = fundStream(of);
  const total = (figure: (fund: Fund) => bigint) => funds.reduce((sum, fund) => sum + figure(fund), 0n);
  const unallocated = of.funded - of.allocated;
  const inTransit = of.allocated + of.reallocated - total((fund) => fund.received);
  const outstanding = total((fund) => fund.outstanding);
  return [
    equal('capital-identity', scope, of.funded, outstanding + WRITTEN_OFF + total(idleOf) + unallocated + inTransit),
    equal(
      'reallocated-by-fund-and-districts',
      scope,
      of.reallocated,
      total((fund) => fund.reallocated),
    ),
    notNegative('unallocated', scope, unallocated),
    ...(divided ? [] : [notNegative('in-transit', scope, inTransit)]),
  ];
}

function fundChecks(fund: Fund, divided: boolean): readonly Check[] {
  const scope = districtFundStream(fund);
  const { outstanding, disbursed, collected, returned } = fund;
  const allocated = allocatedOf(fund);
  return [
    equal('allocated-is-outstanding-and-idle', scope, allocated, outstanding + WRITTEN_OFF + idleOf(fund)),
    equal('outstanding-by-loans-and-by-money', scope, outstanding, disbursed - collected - WRITTEN_OFF),
    equal(
      'available-by-report-and-by-stream',
      scope,
      allocated - outstanding - WRITTEN_OFF - committedOf(fund) - (collected - returned),
      availableOf(fund),
    ),
    notNegative('available', scope, availableOf(fund)),
    ...(divided ? [] : [notNegative('committed', scope, committedOf(fund))]),
    notNegative('outstanding', scope, outstanding),
  ];
}

/** The days that were closed, and of which every partition holds all that was booked. */
async function closedDays(view: ReadView): Promise<ReadonlySet<string>> {
  const closed = new Set<string>();
  const where = { position: { lte: levelOf(view) } };
  for await (const { day } of view.find(CLOSES, { where })) closed.add(day as string);
  return closed;
}

/**
 * A day's entries against the control totals that its close wrote: what lands in a closed day is seen here. And nothing
 * of it is under way any more.
 */
function dayChecks(days: readonly Day[], closes: ReadonlySet<string>): readonly Check[] {
  const closed = days.filter(({ day }) => closes.has(day));
  const check = (name: string, left: (day: Day) => bigint, right: (day: Day) => bigint): readonly Check[] => {
    const total = (figure: (day: Day) => bigint) => closed.reduce((sum, day) => sum + figure(day), 0n);
    const differing = closed.filter((day) => left(day) !== right(day));
    return [
      equal(name, 'businessDay', total(left), total(right)),
      ...differing.map((day) => equal(name, day.day, left(day), right(day))),
    ];
  };
  return [
    ...CONTROLS.flatMap((control) =>
      check(
        `closed-days-${control}`,
        (day) => day[control],
        (day) => day[totalOf(control)],
      ),
    ),
    ...UNDER_WAY.flatMap((measure) =>
      check(
        `closed-days-${measure}`,
        (day) => day[measure],
        () => 0n,
      ),
    ),
  ];
}

const allocatedOf = ({ received, reallocated }: Fund): bigint => received - reallocated;

/** Set aside for what is under way. */
const committedOf = ({ committed, released, disbursed, reallocated }: Fund): bigint =>
  committed - released - disbursed - reallocated;

/** The district fund's balance as its stream has it. */
const availableOf = ({ received, committed, released, returned }: Fund): bigint =>
  received - committed + released + returned;

/** The money that is there: to be committed, set aside, or recovered and not returned by a close yet. */
const idleOf = (fund: Fund): bigint => availableOf(fund) + committedOf(fund) + (fund.collected - fund.returned);

const equal = (name: string, scope: string, left: bigint, right: bigint): Check => ({
  ...{ name, scope, left: amountJson(left), right: amountJson(right), holds: left === right },
});

const notNegative = (name: string, scope: string, left: bigint): Check => ({
  ...{ name: `${name}-not-negative`, scope, left: amountJson(left), right: 0, holds: left >= 0n },
});

const sameSource = (a: Pick<Source, 'programme' | 'source'>, b: Pick<Source, 'programme' | 'source'>): boolean =>
  a.programme === b.programme && a.source === b.source;

async function sums<Name extends string, Measure extends string>(
  view: ReadView,
  collection: string,
  by: readonly Name[],
  measures: readonly Measure[],
): Promise<readonly Summed<Name, Measure>[]> {
  const rows = await view.sum(collection, { where: [{}], by, measures });
  return rows.map((row) => {
    const names = by.map((name) => [name, row[name]]);
    const figures = measures.map((measure) => [measure, BigInt(row[measure] ?? 0)]);
    return Object.fromEntries([...names, ...figures]) as Summed<Name, Measure>;
  });
}
