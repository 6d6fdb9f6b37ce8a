import { invariant } from '../../../libs/kernel/result.js';
import { dayOfMonth, monthOf, officeDayFrom } from './calendar.js';
import type { District, Places } from './places.js';
import { capitalOf, type Parameters, PROGRAMME, SOURCE, YEARS } from './programme.js';
import type { Sheet } from './sheet.js';

/* The City's tranches, their way to the districts, and what each district has idle: as the ledger counts it. */

/** Tranches and allocations come on the first office day from here on, of the year and of each quarter. */
const CAPITAL_DAY = 4;
const QUARTER_MONTHS = 3;
/** Capital moves between districts in October, from those that lend least of it. */
const REALLOCATION_MONTH = 10;
const REALLOCATION_DAY = 20;
const REALLOCATIONS = 3;
const UNIT = 1_000;
/** Days of recoveries that say what the next ones will be. */
const RECENT_DAYS = 30;

interface DistrictCapital {
  readonly district: District;
  available: number;
  /** Set aside for loans that are on their way. */
  reserved: number;
  /** What reversals took that was not there to take. */
  uncovered: number;
  /** Principal of the day. */
  collected: number;
  reversed: number;
}

export class Capital {
  readonly #districts: ReadonlyMap<District, DistrictCapital>;
  readonly #funded = new Set<number>();
  readonly #recent: number[] = [];
  #allocatedQuarter = -1;
  #unallocated = 0;

  constructor(
    private readonly parameters: Parameters,
    private readonly places: Places,
  ) {
    this.#districts = new Map(places.districts.map((district) => [district, newCapital(district)]));
  }

  /** What a district may still lend. */
  free(district: District): number {
    const { available, reserved } = this.#of(district);
    return available - reserved;
  }

  has(district: District, amount: number): boolean {
    return this.#of(district).available >= amount;
  }

  reserve(district: District, amount: number): void {
    this.#of(district).reserved += amount;
  }

  disburse(district: District, amount: number): void {
    const of = this.#of(district);
    invariant(of.available >= amount, `${district.code} has ${amount} idle`);
    of.available -= amount;
    of.reserved -= amount;
  }

  collect(district: District, principal: number): void {
    this.#of(district).collected += principal;
  }

  reverse(district: District, principal: number): void {
    this.#of(district).reversed += principal;
  }

  /** All that may be lent, with what so many more days will bring back. */
  expected(days: number): number {
    const recent = this.#recent.reduce((sum, amount) => sum + amount, 0);
    const idle = this.places.districts.reduce((sum, district) => sum + Math.max(0, this.free(district)), 0);
    return idle + Math.floor((recent * days) / RECENT_DAYS);
  }

  /** Days until the next quarter's allocation. */
  daysToAllocation({ day }: Sheet): number {
    const next = (Math.floor(monthOf(day) / QUARTER_MONTHS) + 1) * QUARTER_MONTHS;
    return dayOfMonth(next, CAPITAL_DAY) - day.number;
  }

  /** The capital decisions of a day. */
  decide(sheet: Sheet): void {
    const { day } = sheet;
    const year = YEARS.find((year) => year.year === day.year);
    if (!day.isOfficeDay || year === undefined) return;
    const quarter = Math.floor(monthOf(day) / QUARTER_MONTHS);
    const isTime = day.number >= dayOfMonth(quarter * QUARTER_MONTHS, CAPITAL_DAY);
    if (isTime && !this.#funded.has(day.year)) this.#fund(sheet, capitalOf(year, this.parameters.scale));
    if (isTime && quarter !== this.#allocatedQuarter) {
      this.#allocate(sheet, (quarter % 4) + 1);
      this.#allocatedQuarter = quarter;
    }
    const october = day.year * 12 + REALLOCATION_MONTH - 1;
    if (day.number === officeDayFrom(dayOfMonth(october, REALLOCATION_DAY))) this.#reallocate(sheet);
  }

  /** What the day's close brings back, by the ledger's own rule. */
  close(): void {
    let sum = 0;
    for (const of of this.#districts.values()) {
      const due = of.collected - of.reversed - of.uncovered;
      const returned = Math.max(due, 0 - of.available);
      of.available += returned;
      of.uncovered = returned - due;
      sum += of.collected - of.reversed;
      of.collected = 0;
      of.reversed = 0;
    }
    this.#recent.push(sum);
    if (this.#recent.length > RECENT_DAYS) this.#recent.shift();
  }

  #fund(sheet: Sheet, amount: number): void {
    const { year } = sheet.day;
    const data = { programme: PROGRAMME, source: SOURCE, amount, decision: `159/KH-UBND-${year}` };
    sheet.add('fund-tranche', `tranche-${year}`, 'finance', data);
    this.#funded.add(year);
    this.#unallocated += amount;
    // Asked for before the money was there, and more than it is.
    const [first] = this.places.districts;
    invariant(first !== undefined, 'there are districts');
    const beyond = this.#allocation(first, this.#unallocated + UNIT, `${year}-0`);
    sheet.add('allocate-capital', `allocation-${year}-0`, 'labour', beyond, { refusal: 'CAPITAL_NOT_FUNDED' });
  }

  /** An equal part of what is left for each quarter that is left, by the districts' shares. */
  #allocate(sheet: Sheet, quarter: number): void {
    const all = Math.floor(this.#unallocated / (5 - quarter));
    for (const district of this.places.districts) {
      const share = Math.floor(all / UNIT / this.places.shares) * district.share * UNIT;
      if (share === 0) continue;
      const number = `${sheet.day.year}-${quarter}`;
      const data = this.#allocation(district, share, number);
      sheet.add('allocate-capital', `allocation-${number}-${district.code}`, 'labour', data);
      this.#of(district).available += share;
      this.#unallocated -= share;
    }
  }

  #allocation(district: District, amount: number, number: string) {
    return { programme: PROGRAMME, source: SOURCE, district: district.code, amount, decision: `PB-${number}/QD-UBND` };
  }

  #reallocate(sheet: Sheet): void {
    const { year } = sheet.day;
    const byNeed = [...this.#districts.values()].sort((a, b) => relative(a) - relative(b));
    for (let index = 0; index < REALLOCATIONS; index++) {
      const [to, from] = [byNeed[index], byNeed.at(-1 - index)];
      invariant(to !== undefined && from !== undefined, 'there are districts');
      const amount = Math.floor((from.available - from.reserved) / 2 / UNIT) * UNIT;
      if (amount <= 0) continue;
      const id = `reallocation-${year}-${index + 1}`;
      const data = {
        ...{ programme: PROGRAMME, source: SOURCE, fromDistrict: from.district.code, toDistrict: to.district.code },
        ...{ amount, decision: `DC-${year}-${index + 1}/QD-UBND` },
      };
      if (index === 0) {
        const beyond = { ...data, amount: from.available + UNIT };
        sheet.add('reallocate-capital', `${id}-0`, 'labour', beyond, { refusal: 'CAPITAL_INSUFFICIENT' });
      }
      sheet.add('reallocate-capital', id, 'labour', data);
      from.available -= amount;
      to.available += amount;
    }
  }

  #of(district: District): DistrictCapital {
    const of = this.#districts.get(district);
    invariant(of !== undefined, `${district.code} is a district`);
    return of;
  }
}

const newCapital = (district: District): DistrictCapital => ({
  ...{ district, available: 0, reserved: 0, uncovered: 0, collected: 0, reversed: 0 },
});

const relative = ({ available, reserved, district }: DistrictCapital): number =>
  (available - reserved) / district.share;
