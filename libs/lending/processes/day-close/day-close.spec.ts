import type { ProcessEntry } from '../../../kernel/decider.js';
import type { DistrictFund } from '../../district-fund/state.js';
import { lent, MONEY, paid, reversed } from '../../examples.js';
import { closed, given, type History, openUntil, type Sent } from '../../scenario.js';

/* Loan L: 3,000 from 2021-07-15 in three instalments of 1,000, due on the 15th of August, September and October. */

const ON = '2021-07-15';
const LOAN = lent(ON, { amount: 3_000, termMonths: 3, installmentEveryMonths: 1 });
const FUND = 'districtFund-P:001:CITY';
const entry = (history: History, key: string) => history.world.entries.get(key) as ProcessEntry;
const fundOf = (history: History) => history.fold<DistrictFund>(FUND).state;
const prepay = (date: string, amount: number, receipt = 'R-1') =>
  paid(date, amount, { receipt, allocation: { principalPrepaid: amount } });
/** Takes all of the district's capital away, and brings it back. */
const emptied: Sent = [
  'reallocate-capital',
  ON,
  { ...MONEY, fromDistrict: '001', toDistrict: '002', amount: 10 ** 12 - 3_000 },
];

describe('the due list of a close', () => {
  it('has a loan on its first due day, then on the next that no close has recorded, whatever was paid since', () => {
    const history = given(...LOAN);
    expect(entry(history, 'loan-L').due).toBe('2021-08-15');
    expect(entry(history.after(closed('2021-08-15')), 'loan-L').due).toBe('2021-09-15');
    expect(entry(history.after(closed('2021-10-15')), 'loan-L').due).toBeNull();
  });

  it('has the next instalment when the first is paid, and the first again when that is reversed', () => {
    const history = given(...LOAN, prepay(ON, 1_000));
    expect(entry(history, 'loan-L').due).toBe('2021-09-15');
    expect(entry(history.after(reversed(ON)), 'loan-L').due).toBe('2021-08-15');
  });

  it('has a fund on the booking day of what was collected, whatever its value date', () => {
    expect(entry(given(...LOAN, openUntil('2021-08-01'), prepay('2021-07-20', 1_000)), FUND).due).toBe('2021-08-01');
  });

  it('has nothing to do for a payment of interest alone', () => {
    const history = given(...LOAN, openUntil('2021-08-15'), paid('2021-08-15', 1));
    expect(history.world.entries.has(FUND)).toBe(false);
  });
});

describe('a close', () => {
  it('records what is unpaid at the end of the due day, of the value date after it', () => {
    const history = given(
      ...LOAN,
      openUntil('2021-08-15'),
      paid('2021-08-15', 400, { allocation: { principalDue: 400 } }),
    );
    history
      .when(...closed('2021-08-15'))
      .gives(
        ['BusinessDayClosing'],
        ['PrincipalReturned', { collected: 400, returned: 400, businessDay: '2021-08-15' }],
        ['LoanOverdue', { loan: 'L', installment: 1, dueDate: '2021-08-15', amount: 600, ageing: [] }, '2021-08-16'],
        [
          'BusinessDayClosed',
          { totals: expect.objectContaining({ overdue: { count: 1, amount: 600 }, principalReturned: 400 }) },
        ],
      );
  });

  it('finds nothing on the day before, and records a portion once', () => {
    const quiet = [['BusinessDayClosing'], ['BusinessDayClosed']] as const;
    given(...LOAN, openUntil('2021-08-14'))
      .when(...closed('2021-08-14'))
      .gives(...quiet);
    given(...LOAN, openUntil('2021-08-16'))
      .when(...closed('2021-08-16'))
      .gives(...quiet);
  });

  it('does not record again what was paid and reversed after it was recorded', () => {
    const back: readonly Sent[] = [
      openUntil('2021-08-16'),
      paid('2021-08-16', 1_000, { allocation: { principalOverdue: 1_000 } }),
      reversed('2021-08-16'),
    ];
    const { outcome } = given(...LOAN, ...back).when(...closed('2021-08-16'));
    expect(outcome.written.map(({ type }) => type)).toEqual([
      'BusinessDayClosing',
      'PrincipalReturned',
      'BusinessDayClosed',
    ]);
  });

  it('records what a reversal makes unpaid on a due day that was closed', () => {
    const past = [prepay(ON, 1_000), openUntil('2021-08-20'), reversed('2021-08-20')];
    const { outcome } = given(...LOAN, ...past).when(...closed('2021-08-20'));
    expect(outcome.written.filter(({ type }) => type === 'LoanOverdue')).toMatchObject([
      { data: { installment: 1, amount: 1_000 }, meta: { valueDate: '2021-08-16', bookingDate: '2021-08-20' } },
    ]);
  });

  it('records all that fell due, once, when it catches up with days that were missed', () => {
    const { outcome } = given(...LOAN).when(...closed('2021-12-31'));
    const overdue = outcome.written.filter(({ type }) => type === 'LoanOverdue');
    expect(overdue.map(({ meta }) => [meta.valueDate, meta.bookingDate])).toEqual([
      ['2021-08-16', '2021-08-15'],
      ['2021-09-16', '2021-09-15'],
      ['2021-10-16', '2021-10-15'],
    ]);
  });

  it('takes what a reversal leaves uncovered at the next closes, as soon as the fund has it', () => {
    // Lent out; 1,000 came back and went elsewhere; then its payment was reversed, and the fund had nothing.
    const away: Sent = [
      'reallocate-capital',
      '2021-07-16',
      { ...MONEY, fromDistrict: '001', toDistrict: '002', amount: 1_000 },
    ];
    const first = given(...LOAN, emptied, prepay(ON, 1_000), closed(ON), away, reversed('2021-07-16'));
    expect(fundOf(first).available).toBe(0);
    const uncovered = first.after(closed('2021-07-16'));
    expect(fundOf(uncovered)).toMatchObject({ available: 0, uncovered: 1_000 });
    // Nothing to take it from: the close is quiet about it.
    uncovered.when(...closed('2021-07-17')).gives(['BusinessDayClosing'], ['BusinessDayClosed']);
    const some = uncovered.after(prepay('2021-07-17', 300, 'R-2')).after(closed('2021-07-17'));
    expect(fundOf(some)).toMatchObject({ available: 0, uncovered: 700 });
    const all = some.after(prepay('2021-07-18', 900, 'R-3')).after(closed('2021-07-18'));
    expect(fundOf(all)).toMatchObject({ available: 200, uncovered: 0 });
    expect(entry(all, FUND).due).toBeNull();
  });

  it('takes it from capital that came another way', () => {
    const back: Sent = [
      'reallocate-capital',
      '2021-07-17',
      { ...MONEY, fromDistrict: '002', toDistrict: '001', amount: 5_000 },
    ];
    const away: Sent = [
      'reallocate-capital',
      '2021-07-16',
      { ...MONEY, fromDistrict: '001', toDistrict: '002', amount: 1_000 },
    ];
    const past = [emptied, prepay(ON, 1_000), closed(ON), away, reversed('2021-07-16'), closed('2021-07-16'), back];
    given(...LOAN, ...past)
      .when(...closed('2021-07-17'))
      .gives(
        ['BusinessDayClosing'],
        ['PrincipalReturned', { collected: 0, reversed: 0, returned: -1_000, uncovered: 0 }],
        ['BusinessDayClosed', { totals: expect.objectContaining({ principalReturned: -1_000 }) }],
      );
  });
});
