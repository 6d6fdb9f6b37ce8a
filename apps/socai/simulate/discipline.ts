import type { Day } from './calendar.js';
import type { District } from './places.js';
import type { Random } from './random.js';

/** Of a million instalments, those from which on a borrower pays nothing any more: usually, and where it is worse. */
const STOPS_USUALLY = 15;
const STOPS: Readonly<Record<string, number>> = { '003': 12_000, '271': 1_000, '282': 1_200, '276': 300, '250': 200 };

/** Instalments of ten thousand that are paid late in an usual month and district. */
const LATE = 150;
/** How late, and how often. */
const LATENESS: readonly (readonly [readonly [number, number], number])[] = [
  [[1, 8], 70],
  [[9, 25], 24],
  [[31, 75], 6],
];
/** Of a hundred that are late, those with a part on the day, and those of ten thousand that leave a small rest. */
const IN_PART = 35;
const LEAVE_A_REST = 150;

/** Months in which more pay late: the lockdown of 2021, and the flood of 2024 in the districts that lie low. */
const LOCKDOWN = { from: '2021-07-24', to: '2021-10-15', factor: 4 };
const FLOOD = { from: '2024-09-08', to: '2024-12-15', factor: 6, districts: ['275', '277', '282', '016'] };

/** How an instalment is paid that is not paid whole on its day. */
interface Late {
  /** In per cent. */
  readonly paidOnTheDay: number;
  /** Until the rest is paid. */
  readonly days: number;
}

/** Who pays on the day, and who pays at all. */
export class Discipline {
  constructor(private readonly random: Random) {}

  /** Null for nearly all. */
  late(district: District, { date }: Day): Late | null {
    const parts = Math.floor((LATE * district.lateness * factorOn(district, date)) / 100);
    if (this.random.chance(parts)) {
      const [least, most] = this.random.weighted(LATENESS);
      const paidOnTheDay = this.random.below(100) < IN_PART ? this.random.between(30, 90) : 0;
      return { paidOnTheDay, days: this.random.between(least, most) };
    }
    if (!this.random.chance(LEAVE_A_REST)) return null;
    return { paidOnTheDay: this.random.between(88, 96), days: this.random.between(20, 100) };
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
