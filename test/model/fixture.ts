import { type Day, localDay } from './exact.js';
import type { Answer, Line } from './facts.js';
import { createModel, execute, type Model } from './model.js';

/** Short commands for examples: a model, a clock at the end of each entry's day, and keys counted up. */
export interface Desk {
  readonly model: Model;
  readonly lines: Line[];
  readonly send: (command: string, valueDate: Day, data: Line['data']) => Answer;
  /** Closes every day before `day`, so that it is the open one. */
  readonly openUntil: (day: Day) => void;
}

export const createDesk = (firstDay: Day): Desk => {
  const model = createModel(`${firstDay}T01:00:00Z`);
  const lines: Line[] = [];
  const send: Desk['send'] = (command, valueDate, data) => {
    const line: Line = { command, id: `key-${lines.length}`, actor: 'desk', valueDate, data, recordedAt: model.clock };
    lines.push(line);
    return execute(model, line);
  };
  const openUntil = (day: Day): void => {
    if (day > localDay(model.clock)) model.clock = `${day}T01:00:00Z`;
    const eve = new Date(Date.parse(`${day}T00:00:00Z`) - 86_400_000).toISOString().slice(0, 10);
    accepted(send('close-business-day', eve, { date: eve }));
  };
  return { model, lines, send, openUntil };
};

export const accepted = (answer: Answer): readonly string[] => {
  if (answer.outcome !== 'accepted') throw new Error(`not accepted: ${JSON.stringify(answer)}`);
  return answer.events;
};

export interface Setting {
  readonly annualRate?: string;
  readonly dueDayRoll?: string;
  readonly arrearsOrder?: string;
  readonly capital?: number;
}

/** Programme P, source CITY, district 001, borrower B (a worker) and enterprise E, with one policy and money. */
export const openProgramme = (desk: Desk, day: Day, setting: Setting = {}): void => {
  const { annualRate = '0.0792', dueDayRoll = 'NONE', arrearsOrder = 'INTEREST_FIRST', capital = 10 ** 15 } = setting;
  const decision = '159/KH-UBND';
  const target = { year: 2021, capital: 1, jobs: 1, collectionRateAtLeast: '0.98', overdueRatioBelow: '0.0005' };
  const programme = { programme: 'P', name: 'Jobs', plan: decision, from: day, to: '2025-12-31', targets: [target] };
  accepted(desk.send('open-programme', day, programme));
  accepted(desk.send('publish-policy', day, { ...POLICY, annualRate, dueDayRoll, arrearsOrder }));
  const money = { programme: 'P', source: 'CITY', amount: capital, decision };
  accepted(desk.send('fund-tranche', day, money));
  accepted(desk.send('allocate-capital', day, { ...money, district: '001' }));
  const place = { district: '001', commune: '00001' };
  accepted(desk.send('register-borrower', day, { borrower: 'B', kind: 'WORKER', borrowerClass: 'POOR', ...place }));
  accepted(
    desk.send('register-borrower', day, {
      borrower: 'E',
      kind: 'ESTABLISHMENT',
      borrowerClass: 'ENTERPRISE',
      ...place,
    }),
  );
};

export const POLICY = {
  programme: 'P',
  effectiveFrom: '2019-11-08',
  annualRate: '0.0792',
  overdueFactor: '1.3',
  maxPerJob: 10 ** 15,
  maxPerLoan: 10 ** 15,
  maxTermMonths: 120,
  arrearsOrder: 'INTEREST_FIRST',
  dueDayRoll: 'NONE',
  decision: '74/2019',
};

export const application = (loan: string, amount: number, termMonths: number, every: number): Line['data'] => ({
  loan,
  borrower: 'B',
  programme: 'P',
  source: 'CITY',
  amount,
  termMonths,
  installmentEveryMonths: every,
  jobs: 1,
  purpose: 'a sewing workshop',
});

/** Applied for, approved and disbursed on one day. */
export const lend = (desk: Desk, day: Day, loan: string, amount: number, termMonths: number, every: number): void => {
  accepted(desk.send('apply-for-loan', day, application(loan, amount, termMonths, every)));
  accepted(desk.send('approve-loan', day, { loan, amount, decision: 'QD-1' }));
  accepted(desk.send('disburse-loan', day, { loan, amount, voucher: 'V-1' }));
};

export const pay = (desk: Desk, day: Day, loan: string, amount: number): readonly string[] =>
  accepted(desk.send('record-payment', day, { loan, amount, receipt: `R-${desk.lines.length}`, method: 'TRANSFER' }));
