import type { Day } from './calendar.js';
import type { District } from './places.js';
import type { Random } from './random.js';

/** Of a million instalments, those from which on a borrower pays nothing any more: usually, and where it is worse. */
const STOPS_USUALLY = 15;
const STOPS: Readonly<Record<string, number>> = { '003': 15_000, '271': 1_200, '282': 1_500, '276': 400, '250': 300 };

/** Instalments of ten thousand that are paid late in an usual month and district. */
const LATE = 150;
/** How late, and how often. */
const LATENESS: readonly (readonly [readonly [number, number], number])[] = [
  [[1, 8], 70],
  [[9, 25], 24],
  [[31, 75], 6],
];

/** Months in which more pay late: the lockdown of 2021, and the flood of 2024 in the districts that lie low. */
const LOCKDOWN = { from: '2021-07-24', to: '2021-10-15', factor: 4 };
const FLOOD = { from: '2024-09-08', to: '2024-11-30', factor: 12, districts: ['275', '277', '282', '016'] };

/** Who pays on the day. */
export class Discipline {
  constructor(private readonly random: Random) {}

  /** Days until an instalment is paid: 0 for nearly all. */
  lateDays(district: District, { date }: Day): number {
    const parts = Math.floor((LATE * district.lateness * factorOn(district, date)) / 100);
    if (!this.random.chance(parts)) return 0;
    const [least, most] = this.random.weighted(LATENESS);
    return this.random.between(least, most);
  }

  stops({ code }: District): boolean {
    return this.random.below(1_000_000) < (STOPS[code] ?? STOPS_USUALLY);
  }
}

function factorOn({ code }: District, date: string): number {
  if (date >= LOCKDOWN.from && date <= LOCKDOWN.to) return LOCKDOWN.factor;
  if (date >= FLOOD.from && date <= FLOOD.to && FLOOD.districts.includes(code)) return FLOOD.factor;
  return 1;
}
