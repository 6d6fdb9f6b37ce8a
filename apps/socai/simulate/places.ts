import type { District as DistrictCode } from '../../../libs/lending/codes.js';
import type { Borrower, SimulatedLoan } from './book.js';
import { YEARS } from './programme.js';
import type { Random } from './random.js';

/*
 * Thirty district-level units with their communes: 579 at the beginning of 2021, by the statistics office's list of
 * administrative units. The list's commune codes of that year are not kept here: a commune's code is made of its
 * district's and a running number.
 */

/** District, communes in 2021, share of the capital for each commune, and how often people pay late, 100 the usual. */
type Row = readonly [code: DistrictCode, communes: number, share: number, lateness: number];

const URBAN = 6;
const TOWN = 10;
const RURAL = 13;

const ROWS: readonly Row[] = [
  ['001', 14, URBAN, 60],
  ['002', 18, URBAN, 50],
  ['003', 8, URBAN, 70],
  ['004', 14, URBAN, 80],
  ['005', 8, URBAN, 60],
  ['006', 21, URBAN, 70],
  ['007', 18, URBAN, 70],
  ['008', 14, URBAN, 110],
  ['009', 11, URBAN, 60],
  ['016', 26, RURAL, 90],
  ['017', 24, RURAL, 80],
  ['018', 22, RURAL, 70],
  ['019', 10, URBAN, 60],
  ['020', 16, RURAL, 90],
  ['021', 13, URBAN, 80],
  ['250', 18, RURAL, 100],
  ['268', 17, URBAN, 90],
  ['269', 15, TOWN, 100],
  ['271', 31, RURAL, 160],
  ['272', 21, RURAL, 90],
  ['273', 16, RURAL, 70],
  ['274', 20, RURAL, 80],
  ['275', 21, RURAL, 120],
  ['276', 23, RURAL, 130],
  ['277', 32, RURAL, 110],
  ['278', 21, RURAL, 80],
  ['279', 29, RURAL, 70],
  ['280', 27, RURAL, 80],
  ['281', 29, RURAL, 90],
  ['282', 22, RURAL, 150],
];

/** Sessions are held on a day that every month has, weekends too. */
export const SESSION_FIRST = 3;
export const SESSION_LAST = 27;
export const SESSIONS_A_MONTH = SESSION_LAST - SESSION_FIRST + 1;

/** So many of a district's loans are needed for a commune: a small simulation lends in fewer communes. */
const LOANS_A_COMMUNE = 15;

export interface District {
  readonly code: DistrictCode;
  readonly share: number;
  readonly lateness: number;
}

export interface Group {
  readonly id: string;
  members: number;
}

export interface Commune {
  readonly code: string;
  readonly district: District;
  readonly sessionDay: number;
  /** The group of each mass organisation that still takes members. */
  readonly groups: Map<string, Group>;
  /** Loans that are not settled. */
  loans: SimulatedLoan[];
  /** Who has repaid and may borrow again. */
  readonly returning: Borrower[];
}

export interface Places {
  readonly districts: readonly District[];
  readonly communes: readonly Commune[];
  /** By the day of the month on which they hold their session. */
  readonly byDay: readonly (readonly Commune[])[];
  readonly shares: number;
}

export function makePlaces(scale: number, random: Random): Places {
  const districts = ROWS.map(([code, count, share, lateness]) => ({ code, share: count * share, lateness }));
  const shares = districts.reduce((sum, { share }) => sum + share, 0);
  const loans = YEARS.reduce((sum, { jobs }) => sum + jobs, 0) * (scale / 1_000_000);
  const communes = districts.flatMap((district, index) => {
    const all = (ROWS[index] as Row)[1];
    const used = Math.min(all, Math.max(1, Math.floor((loans * district.share) / shares / LOANS_A_COMMUNE)));
    const offset = random.below(SESSIONS_A_MONTH);
    return Array.from({ length: used }, (_, at) => communeOf(district, at, offset));
  });
  const byDay = Array.from({ length: 32 }, (_, day) => communes.filter(({ sessionDay }) => sessionDay === day));
  return { districts, communes, byDay, shares };
}

// Seven days apart, so that a district's sessions are spread over the month.
const communeOf = (district: District, at: number, offset: number): Commune => ({
  ...{ code: `${district.code}${(at + 1).toString().padStart(2, '0')}`, district },
  ...{ sessionDay: SESSION_FIRST + ((offset + at * 7) % SESSIONS_A_MONTH) },
  ...{ groups: new Map(), loans: [], returning: [] },
});
