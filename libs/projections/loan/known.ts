import type { LocalDate } from '../../kernel/dates.js';
import type { Meta } from '../../kernel/envelope.js';
import type { LoanStored } from '../../lending/loan/events.js';
import { evolve, type Loan, loan as loanAggregate } from '../../lending/loan/state.js';
import type { ReadView } from '../../read-store/port.js';
import { EVENTS } from './documents.js';

/** An event of a loan as project.ts keeps it. */
export type Kept = LoanStored extends infer E
  ? E extends LoanStored
    ? Pick<E, 'type' | 'version' | 'position' | 'data'> & {
        readonly meta: Pick<Meta, 'valueDate' | 'bookingDate' | 'recordedAt' | 'causationId'>;
      }
    : never
  : never;

/** A loan as known on a day. */
export interface KnownLoan {
  readonly loan: Loan;
  /** In the order in which they were recorded. */
  readonly events: readonly Kept[];
  /** Of the stream: of everything recorded, whenever it was. */
  readonly revision: number;
}

/** Folds what was recorded up to the end of `knownOn`; null: everything. */
export async function knownLoan(view: ReadView, loan: string, knownOn: LocalDate | null): Promise<KnownLoan> {
  let state: Loan = loanAggregate.initial;
  let last = -1;
  const events: Kept[] = [];
  for await (const { revision, recorded, ...rest } of view.find(EVENTS, { where: { loan }, order: ['revision'] })) {
    last = revision as number;
    if (knownOn !== null && (recorded as string) > knownOn) continue;
    // Written by project.ts from the stored event.
    const event = rest as unknown as Kept;
    events.push(event);
    state = evolve(state, event);
  }
  return { loan: state, events, revision: last };
}
