import type { LocalDate } from '../../kernel/dates.js';
import { type CommandOf, type Decision, decided, type Folded, type Refusal } from '../../kernel/decider.js';
import type { DataOf } from '../../kernel/fields.js';
import { asDong, ZERO } from '../../kernel/money.js';
import type { Result } from '../../kernel/result.js';
import { refuse } from '../refusals.js';
import type { DistrictFundNew, returnPrincipalFields } from './events.js';
import type { DistrictFund } from './state.js';

type Commitment = Extract<DistrictFundNew, { type: 'CapitalCommitted' }>['data'];

/**
 * Sets capital aside. Capital is checked against the fund's balance at the moment of the command, whatever its value
 * date (contract §1, Money of the programme).
 */
export function commitCapital(
  fund: Folded<DistrictFund>,
  commitment: Commitment,
  valueDate: LocalDate,
): Result<Decision, Refusal> {
  const { available } = fund.state;
  if (commitment.amount > available) return refuse('CAPITAL_INSUFFICIENT', 'amount', { available });
  const event: DistrictFundNew = { type: 'CapitalCommitted', data: commitment, valueDate };
  return decided(fund.stream, event);
}

/**
 * Brings a day's recovered principal back. What reversals take never takes the fund below zero: the rest stays
 * uncovered and is taken by the next closes as soon as the fund has it (contract §1, Days).
 */
export function returnPrincipal(
  about: Folded<DistrictFund>,
  { data, valueDate }: CommandOf<DataOf<typeof returnPrincipalFields>>,
): Result<Decision, Refusal> {
  const { available, uncovered: before } = about.state;
  const due = data.collected - data.reversed - before;
  const returned = asDong(Math.max(due, 0 - available));
  const uncovered = asDong(returned - due);
  // Only what earlier closes left uncovered, and still nothing to take it from: nothing to record.
  if (data.collected === ZERO && data.reversed === ZERO && returned === ZERO) return decided(about.stream);
  const event: DistrictFundNew = { type: 'PrincipalReturned', data: { ...data, returned, uncovered }, valueDate };
  return decided(about.stream, event);
}
