import type { Continuation, Folded, NewEvent, TransferProcess } from '../../../kernel/decider.js';
import type { Envelope } from '../../../kernel/envelope.js';
import { invariant, unreachable } from '../../../kernel/result.js';
import type { CapitalCommitted, DistrictFundNew } from '../../district-fund/events.js';
import type { DistrictFund } from '../../district-fund/state.js';
import type { FundStored } from '../../fund/events.js';
import type { Fund } from '../../fund/state.js';
import { disbursement } from '../../loan/decisions.js';
import type { Loan } from '../../loan/state.js';
import { districtFundStream, fundStream, loanStream } from '../../vocabulary.js';

/*
 * Money that goes from one stream to another: a disbursement (district fund, loan), an allocation (fund, district
 * fund) and a reallocation (district fund, fund, district fund). Each event below leaves one append to do; the event
 * carries all that it needs, and the append names it as its cause (design §3, two streams).
 */

type Opening = CapitalCommitted | Extract<FundStored, { type: 'CapitalAllocated' | 'CapitalReallocated' }>;

const OPENS_ON: readonly string[] = ['CapitalAllocated', 'CapitalCommitted', 'CapitalReallocated'];
const ENDS_WITH: readonly string[] = ['CapitalReceived', 'CapitalReleased', 'CapitalReallocated', 'LoanDisbursed'];

export const capitalTransfer: TransferProcess = {
  name: 'capital-transfer',
  version: 1,
  opensOn: OPENS_ON,
  keys: (event) => [
    ...(OPENS_ON.includes(event.type) ? [event.id] : []),
    ...(ENDS_WITH.includes(event.type) ? [event.meta.causationId] : []),
  ],
  evolve: (_, event) => [
    ...(ENDS_WITH.includes(event.type) ? [{ key: event.meta.causationId, due: null, value: null }] : []),
    ...(OPENS_ON.includes(event.type) ? [{ key: event.id, due: event.meta.bookingDate, value: event }] : []),
  ],
  reads: (event) => reads(asOpening(event)),
  next: (event, facts, carriedOut) => next(asOpening(event), facts, carriedOut),
};

function reads(event: Opening): Readonly<Record<string, string>> {
  switch (event.type) {
    case 'CapitalAllocated':
      return { to: districtFundStream(event.data) };
    case 'CapitalReallocated':
      return { to: districtFundStream({ ...event.data, district: event.data.toDistrict }) };
    case 'CapitalCommitted':
      return event.data.purpose === 'DISBURSEMENT'
        ? { from: event.stream, loan: loanStream(loanOf(event)) }
        : { from: event.stream, fund: fundStream(event.data) };
    default:
      return unreachable(event);
  }
}

// The facts are those that `reads` named, folded by their own aggregates.
function next(event: Opening, facts: Readonly<Record<string, Folded>>, carriedOut: boolean): Continuation | null {
  switch (event.type) {
    case 'CapitalAllocated':
      return receive(event, facts.to as Folded<DistrictFund>, event.data.district, null);
    case 'CapitalReallocated':
      return receive(event, facts.to as Folded<DistrictFund>, event.data.toDistrict, event.data.fromDistrict);
    case 'CapitalCommitted': {
      const from = facts.from as Folded<DistrictFund>;
      if (from.state.released.has(event.id)) return null;
      if (carriedOut) return release(event, null);
      return event.data.purpose === 'DISBURSEMENT'
        ? disburse(event, facts.loan as Folded<Loan>)
        : reallocate(event, facts.fund as Folded<Fund>);
    }
    default:
      return unreachable(event);
  }
}

function receive(
  { id, data, meta }: Extract<Opening, FundStored>,
  to: Folded<DistrictFund>,
  district: CapitalCommitted['data']['district'],
  fromDistrict: CapitalCommitted['data']['district'] | null,
): Continuation | null {
  if (to.state.received.has(id)) return null;
  const { programme, source, amount, decision } = data;
  return then(to.stream, {
    type: 'CapitalReceived',
    data: { programme, source, district, amount, fromDistrict, decision },
    valueDate: meta.valueDate,
  });
}

function disburse(event: CapitalCommitted, loan: Folded<Loan>): Continuation | null {
  const { id, data, meta } = event;
  const parts = loan.state.status === 'APPROVED' ? loan.state.book.parts : [];
  if (parts.some(({ commitment }) => commitment === id)) return null;
  const voucher = data.voucher;
  invariant(voucher !== null, 'a commitment for a disbursement names its voucher');
  const { valueDate, bookingDate: openDay } = meta;
  const decided = disbursement(loan, { amount: data.amount, voucher, valueDate, openDay });
  if (decided.ok && decided.value.step !== null) return { ...decided.value.step, refusal: null };
  invariant(!decided.ok, 'a disbursement writes an event or is refused');
  // A race was lost between the two appends: the capital is free again, and the key with it.
  return release(event, decided.error);
}

function release({ stream, data, meta }: CapitalCommitted, refusal: Continuation['refusal']): Continuation {
  const released: DistrictFundNew = { type: 'CapitalReleased', data, valueDate: meta.valueDate };
  return { stream, events: [released], refusal };
}

function reallocate({ id, data, meta }: CapitalCommitted, fund: Folded<Fund>): Continuation | null {
  if (fund.state.reallocated.has(id)) return null;
  const { programme, source, district: fromDistrict, toDistrict, amount, decision } = data;
  return then(fund.stream, {
    type: 'CapitalReallocated',
    data: { programme, source, fromDistrict, toDistrict, amount, decision },
    valueDate: meta.valueDate,
  });
}

const then = (stream: string, event: NewEvent): Continuation => ({ stream, events: [event], refusal: null });

function loanOf({ data }: CapitalCommitted): string {
  invariant(data.loan !== null, 'a commitment for a disbursement names its loan');
  return data.loan;
}

function asOpening(event: Envelope): Opening {
  invariant(OPENS_ON.includes(event.type), `${event.type} leaves nothing to do`);
  return event as Opening;
}
