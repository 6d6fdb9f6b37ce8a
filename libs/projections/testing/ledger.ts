import type { Instant, LocalDate } from '../../kernel/dates.js';
import type {
  Aggregate,
  CommandEntry,
  Domain,
  Folded,
  FollowUp,
  NewEvent,
  ProcessEntry,
} from '../../kernel/decider.js';
import { categoryOf, type Envelope } from '../../kernel/envelope.js';
import { readFields } from '../../kernel/fields.js';
import { invariant } from '../../kernel/result.js';
import { lendingDomain } from '../../lending/catalogue.js';
import { BUSINESS_DAY_STREAM, loanStream } from '../../lending/vocabulary.js';

/*
 * For specs: commands through lending's own decisions and processes, events in a list. It keeps no keys, checks no
 * revisions and finishes everything at once; what it writes has the bytes that matter to projections.
 */

export interface TestLedger {
  readonly events: readonly Envelope[];
  /** The clock's day; a command is recorded at noon of it, in Hanoi. */
  clock: LocalDate;
  readonly open: LocalDate;
  /** The refusal's code, or null when the command was accepted. */
  send(command: string, valueDate: LocalDate, data: Readonly<Record<string, unknown>>): string | null;
  /** Closes every day before `day`; the clock comes with it. */
  openUntil(day: LocalDate): void;
  state(stream: string): unknown;
}

export function testLedger(first: LocalDate): TestLedger {
  return new Ledger(first);
}

interface Marks {
  readonly bookingDate: LocalDate;
  readonly causationId: string;
  readonly commandId: string;
}

class Ledger implements TestLedger {
  readonly events: Envelope[] = [];
  readonly #domain: Domain = lendingDomain();
  readonly #streams = new Map<string, Folded>();
  readonly #entries = new Map<string, ProcessEntry>();
  #keys = 0;

  constructor(public clock: LocalDate) {
    const marks = { bookingDate: clock, causationId: 'open', commandId: 'open' };
    this.#append(BUSINESS_DAY_STREAM, [this.#domain.days.opening(clock, true)], marks);
  }

  get open(): LocalDate {
    const { open } = this.#domain.days.calendar(this.state(BUSINESS_DAY_STREAM));
    invariant(open !== null, 'a ledger has an open day');
    return open;
  }

  state(stream: string): unknown {
    return this.#load(stream).state;
  }

  send(name: string, valueDate: LocalDate, given: Readonly<Record<string, unknown>>): string | null {
    const entry = this.#entry(name);
    const read = readFields(entry.fields, given);
    invariant(read.ok, `${name} is well formed: ${JSON.stringify(read)}`);
    const calendar = this.#domain.days.calendar(this.state(BUSINESS_DAY_STREAM));
    const outside = entry.dated ? this.#domain.days.refuseValueDate(valueDate, calendar) : null;
    if (outside !== null) return outside.code;
    const commandId = `${entry.about(read.value)} key-${this.#keys++}`;
    return this.#decide(entry, read.value, valueDate, {
      ...{ bookingDate: this.open, causationId: commandId, commandId },
    });
  }

  openUntil(day: LocalDate): void {
    if (day > this.clock) this.clock = day;
    while (this.open < day) {
      const refused = this.send('close-business-day', this.open, { date: this.open });
      invariant(refused === null, `${this.open} closes: ${refused}`);
    }
  }

  #decide(entry: CommandEntry, data: unknown, valueDate: LocalDate, marks: Marks): string | null {
    const about = this.#load(entry.about(data));
    const reads = Object.entries(entry.reads(data, about.state)).map(([name, stream]) => [name, this.#load(stream)]);
    const calendar = this.#domain.days.calendar(this.state(BUSINESS_DAY_STREAM));
    const command = { name: entry.name, data, valueDate, commandId: marks.commandId, today: this.clock };
    const decided = entry.decide(about, command, { ...Object.fromEntries(reads), calendar });
    if (!decided.ok) return decided.error.code;
    if (decided.value.step === null) return null;
    return this.#follow(this.#append(decided.value.step.stream, decided.value.step.events, marks));
  }

  /** What transfers and closes make of events. */
  #follow(written: readonly Envelope[]): string | null {
    let refused: string | null = null;
    for (const event of written) {
      if (this.#domain.transfers.opensOn.includes(event.type)) {
        const reads = Object.entries(this.#domain.transfers.reads(event));
        const facts = Object.fromEntries(reads.map(([name, stream]) => [name, this.#load(stream)]));
        const next = this.#domain.transfers.next(event, facts, false);
        if (next !== null) {
          const appended = this.#append(next.stream, next.events, { ...event.meta, causationId: event.id });
          refused = this.#follow(appended) ?? next.refusal?.code ?? refused;
        }
      }
      if (event.type === this.#domain.close.startsOn) this.#close(event);
    }
    return refused;
  }

  #close(announced: Envelope): void {
    const { close } = this.#domain;
    const day = close.day(announced);
    const marks = { ...announced.meta, bookingDate: day, causationId: announced.id };
    const before = this.events.length;
    const send = (followUp: FollowUp | null) => {
      if (followUp === null) return;
      const refused = this.#decide(this.#entry(followUp.command), followUp.data, followUp.valueDate, marks);
      invariant(refused === null, `${followUp.command} is accepted: ${refused}`);
    };
    const due = [...this.#entries.values()].filter((entry) => entry.due !== null && entry.due <= day);
    for (const entry of due) send(close.react(announced, entry));
    const entries = new Map([...this.#entries].map(([key, { value }]) => [key, value]));
    send(close.finish(announced, entries, this.events.slice(before).map(asNew)));
  }

  #append(stream: string, events: readonly NewEvent[], marks: Marks): readonly Envelope[] {
    return events.map(({ type, data, valueDate }) => {
      const before = this.#load(stream);
      const event: Envelope = {
        id: `event-${this.events.length}`,
        type,
        version: this.#domain.versions.get(type) ?? 1,
        stream,
        revision: before.revision + 1,
        position: String(this.events.length + 1).padStart(20, '0'),
        // What is stored is JSON.
        data: JSON.parse(JSON.stringify(data)),
        meta: {
          ...{ valueDate, bookingDate: marks.bookingDate, recordedAt: `${this.clock}T05:00:00.000Z` as Instant },
          ...{ actor: 'teller', commandId: marks.commandId, commandHash: '', correlationId: marks.commandId },
          ...{ causationId: marks.causationId, seal: '' },
        },
      };
      this.events.push(event);
      const state = this.#aggregate(stream).evolve(before.state, event);
      this.#streams.set(stream, { stream, revision: event.revision, state });
      this.#keep(event);
      return event;
    });
  }

  #keep(event: Envelope): void {
    const { close } = this.#domain;
    const entries = new Map(close.keys(event).map((key) => [key, this.#entries.get(key)?.value]));
    for (const entry of close.evolve(entries, event)) {
      if (entry.value === null) this.#entries.delete(entry.key);
      else this.#entries.set(entry.key, entry);
    }
  }

  #load(stream: string): Folded {
    return this.#streams.get(stream) ?? { stream, revision: -1, state: this.#aggregate(stream).initial };
  }

  #aggregate(stream: string): Aggregate {
    const found = this.#domain.aggregates.get(categoryOf(stream));
    invariant(found !== undefined, `${stream} is of an aggregate`);
    return found;
  }

  #entry(name: string): CommandEntry {
    const entry = this.#domain.commands.get(name);
    invariant(entry !== undefined, `there is a command ${name}`);
    return entry;
  }
}

const asNew = ({ type, data, meta }: Envelope): NewEvent => ({ type, data, valueDate: meta.valueDate });

// --------------------------------------------------------------------------------------------------------- a setting

export const DECISION = '159/KH-UBND';

export interface Setting {
  readonly programme?: string;
  readonly source?: string;
  readonly district?: string;
  readonly group?: string;
  readonly massOrganisation?: string;
  readonly borrower?: string;
  readonly borrowerClass?: string;
  readonly targets?: readonly Readonly<Record<string, unknown>>[];
  readonly dueDayRoll?: string;
  readonly arrearsOrder?: string;
}

const TARGET = { year: 2021, capital: 1_000_000, jobs: 10, collectionRateAtLeast: '0.98', overdueRatioBelow: '0.0005' };

/** A programme with a policy, a billion billions of capital in one district, and one borrower of a group there. */
export function setUp(ledger: TestLedger, setting: Setting = {}): void {
  const { programme = 'P', source = 'CITY', district = '001', borrower = 'B' } = setting;
  const day = ledger.open;
  const plan = { programme, name: 'Việc làm', plan: DECISION, from: day, to: '2025-12-31' };
  accepted(ledger.send('open-programme', day, { ...plan, targets: setting.targets ?? [TARGET] }));
  accepted(
    ledger.send('publish-policy', day, {
      ...{ programme, effectiveFrom: day, annualRate: '0.0792', overdueFactor: '1.3', maxPerJob: 10 ** 12 },
      ...{ maxPerLoan: 10 ** 12, maxTermMonths: 120, decision: '74/2019' },
      ...{ arrearsOrder: setting.arrearsOrder ?? 'INTEREST_FIRST', dueDayRoll: setting.dueDayRoll ?? 'NONE' },
    }),
  );
  fundDistrict(ledger, { programme, source, district });
  const place = { district, commune: '00001' };
  const group = setting.group ?? `G-${borrower}`;
  const { massOrganisation = 'WOMEN', borrowerClass = 'POOR' } = setting;
  accepted(ledger.send('register-group', day, { group, massOrganisation, ...place }));
  accepted(ledger.send('register-borrower', day, { borrower, kind: 'WORKER', borrowerClass, group, ...place }));
}

export function fundDistrict(
  ledger: TestLedger,
  of: { readonly programme: string; readonly source: string; readonly district: string },
): void {
  const { programme, source, district } = of;
  const money = { programme, source, amount: 10 ** 12, decision: DECISION };
  accepted(ledger.send('fund-tranche', ledger.open, money));
  accepted(ledger.send('allocate-capital', ledger.open, { ...money, amount: 5 * 10 ** 11, district }));
}

export interface Lending {
  readonly amount: number;
  readonly termMonths: number;
  readonly every: number;
  readonly borrower?: string;
  readonly programme?: string;
  readonly source?: string;
}

/** Applied for and approved on one day; paid out as well unless told to wait. */
export function lend(ledger: TestLedger, day: LocalDate, loan: string, of: Lending, pay = true): void {
  const { amount, termMonths, every, borrower = 'B', programme = 'P', source = 'CITY' } = of;
  accepted(
    ledger.send('apply-for-loan', day, {
      ...{ loan, borrower, programme, source, amount, termMonths, installmentEveryMonths: every },
      ...{ jobs: 1, purpose: 'a sewing workshop' },
    }),
  );
  accepted(ledger.send('approve-loan', day, { loan, amount, decision: 'QD-1' }));
  if (pay) accepted(ledger.send('disburse-loan', day, { loan, amount, voucher: 'V-1' }));
}

export function accepted(refused: string | null): void {
  invariant(refused === null, `accepted, not ${refused}`);
}

export const loanState = (ledger: TestLedger, loan: string): unknown => ledger.state(loanStream(loan));

export const day = (text: string): LocalDate => text as LocalDate;
