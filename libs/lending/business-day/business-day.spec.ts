import { applied, approved, disbursed, ground, lent, paid, reversed } from '../examples.js';
import { closed, given, openUntil } from '../scenario.js';
import { completeClose } from './decisions.js';
import type { BusinessDay } from './state.js';

const ON = '2021-07-15';
const NONE = { count: 0, amount: 0 };
const NO_TOTALS = {
  ...{ disbursements: NONE, payments: NONE, reversals: NONE, overdue: NONE },
  ...{ principalCollected: 0, principalReversed: 0, principalReturned: 0 },
};

describe('close-business-day', () => {
  it('closes a quiet day with totals of nothing, and opens the next', () => {
    const { history } = given(...ground(ON))
      .when(...closed(ON))
      .gives(['BusinessDayClosing', { date: ON, through: ON }], ['BusinessDayClosed', { date: ON, totals: NO_TOTALS }]);
    const days = history.fold<BusinessDay>('businessDay').state;
    expect(days).toMatchObject({ first: ON, open: '2021-07-16', lastClosed: ON, closing: null });
  });

  it('closes each day up to a later one, in order', () => {
    given(...ground(ON))
      .when(...closed('2021-07-17'))
      .gives(
        ['BusinessDayClosing', { date: ON, through: '2021-07-17' }, ON],
        ['BusinessDayClosed', { date: ON }, ON],
        ['BusinessDayClosing', { date: '2021-07-16', through: '2021-07-17' }, '2021-07-16'],
        ['BusinessDayClosed', { date: '2021-07-16' }, '2021-07-16'],
        ['BusinessDayClosing', { date: '2021-07-17', through: '2021-07-17' }, '2021-07-17'],
        ['BusinessDayClosed', { date: '2021-07-17' }, '2021-07-17'],
      );
  });

  it('is quiet for a day that is closed', () => {
    const history = given(...ground(ON), closed('2021-07-17'));
    history.when(...closed('2021-07-17')).writesNothing();
    history.when(...closed(ON)).writesNothing();
    history.when(...closed('2020-01-01')).writesNothing();
  });

  it('is refused for a day ahead of the clock, and on an empty ledger', () => {
    given(...ground(ON))
      .when('close-business-day', ON, { date: '2021-07-16' })
      .refused('DAY_AHEAD_OF_CLOCK', 'date');
    given()
      .when(...closed(ON))
      .refused('LEDGER_EMPTY', 'date');
  });

  it('counts what was booked on the day, backdated or not', () => {
    const past = [applied(ON), approved(ON), disbursed(ON), openUntil('2022-01-20')];
    const entries = [
      paid('2022-01-15', 3_000_000, { allocation: { principalDue: 3_000_000 } }),
      paid('2022-01-20', 2_000_000, {
        receipt: 'R-2',
        allocation: { interestInTerm: 500_000, principalOverdue: 1_500_000 },
      }),
      reversed('2022-01-20', { receipt: 'R-2' }),
    ];
    const { outcome } = given(...ground(ON), ...past, ...entries).when(...closed('2022-01-20'));
    expect(outcome.written.at(-1)?.data).toEqual({
      date: '2022-01-20',
      totals: {
        ...{
          disbursements: NONE,
          payments: { count: 2, amount: 5_000_000 },
          reversals: { count: 1, amount: 2_000_000 },
        },
        ...{ principalCollected: 4_500_000, principalReversed: 1_500_000, principalReturned: 3_000_000 },
        // Recorded by the close of the due day, before the payment was entered.
        overdue: NONE,
      },
    });
  });

  it('carries the closing day as the value and booking date of its entries', () => {
    const { outcome } = given(...lent(ON)).when(...closed(ON));
    expect(outcome.written.map(({ meta }) => [meta.valueDate, meta.bookingDate])).toEqual([
      [ON, ON],
      [ON, ON],
    ]);
  });
});

describe('complete-close', () => {
  it('stops the work when the close of its day is not under way', () => {
    const days = given(...ground(ON)).fold<BusinessDay>('businessDay');
    const data = { date: ON, totals: NO_TOTALS };
    const command = { name: 'complete-close', data, valueDate: ON, commandId: '', today: ON };
    expect(() => completeClose(days, command as unknown as Parameters<typeof completeClose>[1])).toThrow(
      'is under way',
    );
  });
});
