import { applied, approved, disbursed, ground, lent, paid, reversed } from '../examples.js';
import { closed, day, given, openUntil, type Sent } from '../scenario.js';
import type { Loan } from './state.js';
import { loanOn } from './view.js';

/* Loan L of domain §4, E4: 50 m from 2021-07-15, five instalments of 8,333,000 and one of 8,335,000, every 6 months. */

const ON = '2021-07-15';
const DUE = '2022-01-15';
const FIRST = 1_996_274;
const NOTHING = { interestInTerm: 0, interestOverdue: 0, principalOverdue: 0, principalDue: 0, principalPrepaid: 0 };
const of = (allocation: Partial<typeof NOTHING>) => ({ allocation: { ...NOTHING, ...allocation } });
const on = (date: string, ...past: readonly Sent[]) => given(...lent(ON), ...past, openUntil(date));

describe('record-payment, by the default order', () => {
  it('takes interest due, principal due, then the next instalment', () => {
    const amount = FIRST + 8_333_000 + 1_000;
    const { outcome } = on(DUE)
      .when(...paid(DUE, amount))
      .gives(['InstallmentPaid', of({ interestInTerm: FIRST, principalDue: 8_333_000, principalPrepaid: 1_000 })])
      .warned();
    expect(outcome.written[0]?.data).toMatchObject({
      installments: [
        { installment: 1, dueDate: DUE, principal: 8_333_000 },
        { installment: 2, dueDate: '2022-07-15', principal: 1_000 },
      ],
    });
  });

  it('takes interest first when it is less than what is due', () => {
    on(DUE)
      .when(...paid(DUE, 1_000))
      .gives(['InstallmentPaid', { ...of({ interestInTerm: 1_000 }), installments: [] }]);
  });

  it('counts principal as prepaid until its due day, due on it, overdue after it', () => {
    const early = '2022-01-14';
    const parts = [
      [early, 'principalPrepaid'],
      [DUE, 'principalDue'],
      ['2022-01-16', 'principalOverdue'],
    ] as const;
    for (const [date, component] of parts) {
      const history = on(date);
      const due = Number(loanOn(history.fold<Loan>('loan-L').state, day(date))?.interest.due);
      const { outcome } = history.when(...paid(date, due + 500));
      expect(outcome.written[0]?.data).toMatchObject({ allocation: { [component]: 500 } });
    }
  });

  it('counts principal paid before a rolled due day as prepaid, also on the nominal day', () => {
    const rolled = given(...lent(ON, {}, { dueDayRoll: 'FOLLOWING' }), openUntil('2022-01-17'));
    rolled
      .when(...paid(DUE, FIRST + 500))
      .gives(['InstallmentPaid', of({ interestInTerm: FIRST, principalPrepaid: 500 })]);
  });

  it('takes interest before overdue principal by INTEREST_FIRST', () => {
    on('2022-02-24', openUntil(DUE), paid(DUE, FIRST))
      .when(...paid('2022-02-24', 455_671 + 100, { receipt: 'R-2' }))
      .gives(['InstallmentPaid', of({ interestInTerm: 361_647, interestOverdue: 94_024, principalOverdue: 100 })]);
  });

  it('takes overdue and due principal before interest by PRINCIPAL_FIRST, and prepays last', () => {
    const history = given(...lent(ON, {}, { arrearsOrder: 'PRINCIPAL_FIRST' }), openUntil('2022-07-15'));
    // 50 m for 365 days, of which the first instalment was overdue for 181: exact, rounded once.
    const accruedInTerm = Math.round(((50_000_000 * 365 - 8_333_000 * 181) * 0.0792) / 365);
    const accruedOverdue = Math.round((8_333_000 * 181 * 0.0792 * 1.3) / 365);
    history
      .when(...paid('2022-07-15', 8_333_000 + 8_333_000 + 10))
      .gives(['InstallmentPaid', of({ principalOverdue: 8_333_000, principalDue: 8_333_000, interestInTerm: 10 })]);
    history.when(...paid('2022-07-15', 16_666_000 + accruedInTerm + accruedOverdue + 7)).gives([
      'InstallmentPaid',
      of({
        ...{ principalOverdue: 8_333_000, principalDue: 8_333_000, principalPrepaid: 7 },
        ...{ interestInTerm: accruedInTerm, interestOverdue: accruedOverdue },
      }),
    ]);
  });

  it('keeps the ordinary order by PRINCIPAL_FIRST while nothing is overdue', () => {
    given(...lent(ON, {}, { arrearsOrder: 'PRINCIPAL_FIRST' }), openUntil(DUE))
      .when(...paid(DUE, FIRST + 5))
      .gives(['InstallmentPaid', of({ interestInTerm: FIRST, principalDue: 5 })]);
  });
});

describe('record-payment', () => {
  it('settles the loan with the last đồng', () => {
    on(DUE)
      .when(...paid(DUE, FIRST + 50_000_000))
      .gives(['InstallmentPaid'], ['LoanSettled', { loan: 'L', ageing: [] }]);
  });

  it('is refused above unpaid principal plus interest due', () => {
    const { outcome } = on(DUE)
      .when(...paid(DUE, FIRST + 50_000_001))
      .refused('PAYMENT_ABOVE_DUE', 'amount');
    expect(outcome.refusal?.errors[0]?.accepted).toBe('at most 51996274 đồng');
  });

  it('is refused for a loan without a disbursement', () => {
    given(...ground(ON))
      .when(...paid(ON, 1))
      .refused('LOAN_UNKNOWN', 'loan');
    given(...ground(ON), applied(ON), approved(ON))
      .when(...paid(ON, 1))
      .refused('LOAN_NOT_DISBURSED', 'loan');
  });

  it('is refused with a receipt that the loan has used, also after its reversal', () => {
    const history = on(DUE, openUntil(DUE), paid(DUE, 1_000));
    history.when(...paid(DUE, 1_000)).refused('RECEIPT_ALREADY_USED', 'receipt');
    history
      .after(reversed(DUE))
      .when(...paid(DUE, 1_000))
      .refused('RECEIPT_ALREADY_USED', 'receipt');
  });

  it('takes one receipt for two loans', () => {
    const second = { loan: 'M', amount: 1_000_000 };
    given(...lent(ON), applied(ON, second), approved(ON, second), disbursed(ON, second), paid(ON, 10))
      .when(...paid(ON, 10, { loan: 'M' }))
      .gives(['InstallmentPaid']);
  });

  it('is refused on a settled loan', () => {
    on(DUE, openUntil(DUE), paid(DUE, FIRST + 50_000_000))
      .when(...paid(DUE, 1, { receipt: 'R-2' }))
      .refused('LOAN_SETTLED', 'loan');
  });

  it('is refused before the last recorded part', () => {
    const parts = [disbursed(ON, { amount: 1_000 }), openUntil(DUE), disbursed(DUE, { amount: 1_000, voucher: 'V-2' })];
    given(...ground(ON), applied(ON), approved(ON), ...parts)
      .when(...paid('2022-01-14', 1))
      .refused('VALUE_DATE_ORDER', 'valueDate');
  });

  it('takes no principal from a group leader', () => {
    const leader = { method: 'GROUP_LEADER' };
    on(DUE)
      .when(...paid(DUE, FIRST, leader))
      .gives(['InstallmentPaid', of({ interestInTerm: FIRST })]);
    on(DUE)
      .when(...paid(DUE, FIRST + 1, leader))
      .refused('GROUP_LEADER_PRINCIPAL', 'method');
  });
});

describe('record-payment, allocated by the caller', () => {
  const as = (amount: number, allocation: Readonly<Record<string, number | string>>) =>
    paid(DUE, amount, { allocation });

  it('stores what the caller says, a missing field as 0', () => {
    on(DUE)
      .when(...as(1_500, { principalDue: 1_000, principalPrepaid: '500' }))
      .gives(['InstallmentPaid', of({ principalDue: 1_000, principalPrepaid: 500 })]);
  });

  it('is refused when it does not add up', () => {
    on(DUE)
      .when(...as(1_500, { principalDue: 1_000 }))
      .refused('ALLOCATION_SUM', 'allocation');
    on(DUE)
      .when(...as(1_500, {}))
      .refused('ALLOCATION_SUM', 'allocation');
  });

  it.each([
    ['interestInTerm', FIRST],
    ['interestOverdue', 0],
    ['principalOverdue', 0],
    ['principalDue', 8_333_000],
    ['principalPrepaid', 41_667_000],
  ])('is refused when %s is above the %d that are unpaid under it', (component, unpaid) => {
    on(DUE)
      .when(...as(unpaid + 1, { [component]: unpaid + 1 }))
      .refused('ALLOCATION_ABOVE_UNPAID', `allocation.${component}`);
    if (unpaid > 0)
      on(DUE)
        .when(...as(unpaid, { [component]: unpaid }))
        .gives(['InstallmentPaid', of({ [component]: unpaid })]);
  });

  it('takes no principal from a group leader either', () => {
    on(DUE)
      .when(...paid(DUE, 5, { method: 'GROUP_LEADER', allocation: { principalDue: 5 } }))
      .refused('GROUP_LEADER_PRINCIPAL', 'method');
  });
});

describe('a backdated payment', () => {
  const late = on('2022-03-01', openUntil('2022-02-24'), paid('2022-02-24', 10_784_945));

  it('goes to what no recorded payment has paid yet, and warns of nothing', () => {
    // The later payment took the first instalment and all interest up to its day: what is left counts as prepaid.
    late
      .when(...paid('2022-01-10', 2_000, { receipt: 'R-2' }))
      .gives(['InstallmentPaid', of({ principalPrepaid: 2_000 })])
      .warned();
  });

  it('leaves interest that was taken beyond what accrued as a credit of its component', () => {
    const after = late.after(paid('2022-01-10', 8_333_000, { receipt: 'R-2' }));
    const loan = after.fold<Loan>('loan-L').state;
    expect(Number(loanOn(loan, day('2022-02-24'))?.interest.due)).toBeLessThan(0);
    after.when(...paid('2022-03-01', 1, { receipt: 'R-3' })).gives(['InstallmentPaid', of({ principalPrepaid: 1 })]);
  });

  it('warns of money that was allocated as prepaid beside an overdue portion', () => {
    // What the reversal takes back falls overdue; only money that stands on a later instalment is worth a look.
    const prepaid = { receipt: 'R-1', allocation: { principalPrepaid: 8_400_000 } };
    const past: readonly Sent[] = [
      openUntil('2021-08-01'),
      paid('2021-08-01', 8_400_000, prepaid),
      openUntil('2022-02-01'),
    ];
    given(...lent(ON), ...past)
      .when(...reversed('2022-02-01', { receipt: 'R-1' }))
      .gives(['PaymentReversed', {}, '2021-08-01'])
      .warned();
    given(
      ...lent(ON),
      openUntil('2021-08-01'),
      paid('2021-08-01', 8_333_000, { allocation: { principalPrepaid: 8_333_000 } }),
    )
      .after(openUntil('2021-09-01'))
      .after(paid('2021-09-01', 700, { receipt: 'R-2', allocation: { principalPrepaid: 700 } }))
      .after(openUntil('2022-02-01'))
      .when(...reversed('2022-02-01', { receipt: 'R-1' }))
      .gives(['PaymentReversed', {}, '2021-08-01'])
      .warned('R-2');
  });
});

describe('a backdated payment on a loan with an overdue portion', () => {
  it('warns of money that stands on a later instalment as prepaid', () => {
    const prepaid = paid('2022-02-01', 700, { allocation: { principalPrepaid: 700 } });
    const history = on('2022-02-01', openUntil('2022-02-01'), prepaid);
    history
      .when(...paid('2022-01-20', 1, { receipt: 'R-2' }))
      .gives(['InstallmentPaid'])
      .warned('R-1');
    history
      .when(...paid('2022-02-01', 1, { receipt: 'R-2' }))
      .gives(['InstallmentPaid'])
      .warned();
  });
});

describe('a settled loan', () => {
  // 50 m due whole on 2022-01-15 and paid whole on 2022-02-24: 40 days of overdue interest, 564,164.
  const late = given(...lent(ON, { termMonths: 6 }), openUntil('2022-02-24'));
  const interest = { interestInTerm: 1_996_274, interestOverdue: 564_164 };
  const take = (allocation: Readonly<Record<string, number>>) =>
    paid(
      '2022-02-24',
      Object.values(allocation).reduce((sum, part) => sum + part, 0),
      { allocation },
    );

  it('has nothing unpaid under either component of interest', () => {
    const most = { ...interest, principalOverdue: 50_000_000 };
    late.when(...take(most)).gives(['InstallmentPaid'], ['LoanSettled']);
    late.when(...take({ ...most, interestOverdue: 564_163 })).gives(['InstallmentPaid']);
    late.when(...take({ ...most, interestInTerm: 1_996_273 })).gives(['InstallmentPaid']);
  });

  it('is not one whose credit in one component would pay the other', () => {
    // A backdated payment of principal leaves the interest in term that was taken beyond what accrued as a credit.
    const taken = late.after(take({ interestInTerm: 1_996_274, principalOverdue: 40_000_000 }));
    const backdated = paid('2021-12-15', 10_000_000, { receipt: 'R-2', allocation: { principalPrepaid: 10_000_000 } });
    const { history } = taken.when(...backdated).gives(['InstallmentPaid']);
    const loan = loanOn(history.fold<Loan>('loan-L').state, day('2022-02-24'));
    expect(loan).toMatchObject({ status: 'ACTIVE', outstanding: 0 });
    // 40 m overdue for 40 days, whatever the credit of 10 m for 31 days in term.
    expect(loan?.interest).toMatchObject({ accruedInTerm: 1_996_274 - 67_266, accruedOverdue: 451_332 });
    history
      .when(...paid('2022-02-24', 451_332, { receipt: 'R-3' }))
      .gives(['InstallmentPaid', of({ interestOverdue: 451_332 })], ['LoanSettled']);
  });
});

describe('reverse-payment', () => {
  const history = on(DUE, openUntil(DUE), paid(DUE, FIRST + 8_333_000));

  it('takes the payment back as of its own value date, with all that it said', () => {
    history
      .after(openUntil('2022-02-01'))
      .when(...reversed('2022-01-20'))
      .gives([
        'PaymentReversed',
        {
          ...of({ interestInTerm: FIRST, principalDue: 8_333_000 }),
          ...{ amount: FIRST + 8_333_000, receipt: 'R-1', method: 'TRANSFER', decision: 'QĐ-9' },
          installments: [{ installment: 1, dueDate: DUE, principal: 8_333_000 }],
        },
        DUE,
      ]);
  });

  it('opens a settled loan again', () => {
    on(DUE, openUntil(DUE), paid(DUE, FIRST + 50_000_000))
      .when(...reversed(DUE))
      .gives(['PaymentReversed'], ['LoanReopened']);
  });

  it('does not reopen a loan that was not settled', () => {
    history.when(...reversed(DUE)).gives(['PaymentReversed']);
  });

  it('is refused for what is not there, was reversed, or lies after its value date', () => {
    given(...ground(ON))
      .when(...reversed(ON))
      .refused('LOAN_UNKNOWN', 'loan');
    given(...ground(ON), applied(ON))
      .when(...reversed(ON))
      .refused('LOAN_NOT_DISBURSED', 'loan');
    history.when(...reversed(DUE, { receipt: 'R-7' })).refused('RECEIPT_UNKNOWN', 'receipt');
    history
      .after(reversed(DUE))
      .when(...reversed(DUE))
      .refused('PAYMENT_ALREADY_REVERSED', 'receipt');
    history.when(...reversed('2022-01-14')).refused('VALUE_DATE_ORDER', 'valueDate');
  });
});

describe('a value date', () => {
  it('lies between the first day of the ledger and the open one', () => {
    const history = on(DUE);
    history.when(...paid('2022-01-16', 1)).refused('VALUE_DATE_AFTER_OPEN_DAY', 'valueDate');
    history.when(...paid('2021-07-14', 1)).refused('VALUE_DATE_BEFORE_LEDGER', 'valueDate');
    history.when(...paid(ON, 1)).gives(['InstallmentPaid', of({ principalPrepaid: 1 })]);
    history
      .after(closed(DUE))
      .when(...paid('2022-01-16', 1))
      .gives(['InstallmentPaid']);
  });
});
