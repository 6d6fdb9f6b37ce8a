import type { LocalDate } from '../../../libs/kernel/dates.js';

/*
 * Plan 159/KH-UBND of the Hanoi People's Committee (2021-07-01) in figures: the years, their tranches of the city
 * budget and the jobs that they are to make.
 */

export const PROGRAMME = 'GQVL';
export const SOURCE = 'CITY';

export interface PlanYear {
  readonly year: number;
  /** In millions of đồng at scale 1: a scale in millionths makes đồng of it. */
  readonly millions: number;
  readonly jobs: number;
}

export const YEARS: readonly PlanYear[] = [
  { year: 2021, millions: 550_000, jobs: 25_100 },
  { year: 2022, millions: 500_000, jobs: 28_000 },
  { year: 2023, millions: 500_000, jobs: 31_000 },
  { year: 2024, millions: 500_000, jobs: 34_000 },
  { year: 2025, millions: 500_000, jobs: 37_000 },
];

/** The plan's workers, and the sum of its yearly targets: what is lent lies as much above the targets. */
const WORKERS = 156_209;
const TARGETS = 155_100;

export const FIRST_DAY = '2021-01-01' as LocalDate;
export const LAST_DAY = '2025-12-31' as LocalDate;

/** What makes one simulation; two with the same are the same, event by event. */
export interface Parameters {
  /** In millionths: 1,000,000 is the whole programme. */
  readonly scale: number;
  readonly seed: number;
  readonly from: LocalDate;
  readonly to: LocalDate;
}

/** What the first start makes: small enough to be waited for. */
export const FIRST_START: Parameters = { scale: 3_000, seed: 207, from: FIRST_DAY, to: LAST_DAY };

/** Said in the key of the first command: whoever finds a ledger knows of which simulation it is. */
export const nameOf = ({ scale, seed, from, to }: Parameters): string =>
  `simulation-1:scale=${scaleText(scale)}:seed=${seed}:from=${from}:to=${to}`;

export function scaleText(scale: number): string {
  const decimals = (scale % 1_000_000).toString().padStart(6, '0').replace(/0+$/, '');
  return `${Math.floor(scale / 1_000_000)}${decimals === '' ? '' : `.${decimals}`}`;
}

const scaled = (value: number, scale: number): number => Math.max(1, Math.round((value * scale) / 1_000_000));

export const capitalOf = ({ millions }: PlanYear, scale: number): number => millions * scale;
export const targetOf = ({ jobs }: PlanYear, scale: number): number => scaled(jobs, scale);
/** The jobs that the simulation lends for in a year. */
export const jobsOf = ({ jobs }: PlanYear, scale: number): number => scaled((jobs * WORKERS) / TARGETS, scale);

export const programmeData = (scale: number) => ({
  ...{ programme: PROGRAMME, name: 'Cho vay giải quyết việc làm 2021-2025', plan: '159/KH-UBND' },
  ...{ from: FIRST_DAY, to: LAST_DAY },
  targets: YEARS.map((year) => ({
    ...{ year: year.year, capital: capitalOf(year, scale), jobs: targetOf(year, scale) },
    ...{ collectionRateAtLeast: '0.98', overdueRatioBelow: '0.0005' },
  })),
});

/** A loan of a worker, and of an establishment by its jobs, is at most this. */
export const PER_JOB_MAX = 100_000_000;
export const PER_LOAN_MAX = 2_000_000_000;

/** A decision that is entered on the day that it was signed, or on the first day where that lies before it. */
export interface Decision {
  readonly signedOn: string;
  readonly command: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** In the order of their days. */
export const DECISIONS: readonly Decision[] = [
  {
    ...{ signedOn: '2019-09-23', command: 'publish-policy', id: 'policy-2019' },
    data: {
      ...{ programme: PROGRAMME, effectiveFrom: '2019-11-08', annualRate: '0.0792', overdueFactor: '1.3' },
      ...{ maxPerJob: PER_JOB_MAX, maxPerLoan: PER_LOAN_MAX, maxTermMonths: 120 },
      ...{ arrearsOrder: 'INTEREST_FIRST', dueDayRoll: 'NONE', decision: '74/2019/NĐ-CP' },
    },
  },
];
