import { allocated, disbursed, funded, lent, MONEY, opened, paid, reversed } from '../examples.js';
import { day, given, type Sent } from '../scenario.js';
import { returnPrincipal } from './decisions.js';
import type { DistrictFund } from './state.js';

const ON = '2021-07-15';
const reallocated = (amount: number, toDistrict = '002', fromDistrict = '001'): Sent => [
  'reallocate-capital',
  ON,
  { ...MONEY, fromDistrict, toDistrict, amount },
];
const history = given(opened(ON), funded(ON, 1_000), allocated(ON, 1_000));

describe('reallocate-capital', () => {
  it('sets capital aside in one district and brings it to another', () => {
    const { history: after } = history
      .when(...reallocated(400))
      .gives(
        ['CapitalCommitted', { district: '001', toDistrict: '002', purpose: 'REALLOCATION', amount: 400, loan: null }],
        ['CapitalReallocated', { fromDistrict: '001', toDistrict: '002', amount: 400 }],
        ['CapitalReceived', { district: '002', fromDistrict: '001', amount: 400 }],
      );
    expect(after.fold<DistrictFund>('districtFund-P:001:CITY').state.available).toBe(600);
    expect(after.fold<DistrictFund>('districtFund-P:002:CITY').state.available).toBe(400);
  });

  it('is refused above what the district has', () => {
    history.when(...reallocated(1_001)).refused('CAPITAL_INSUFFICIENT', 'amount');
    history.when(...reallocated(1, '001', '002')).refused('CAPITAL_INSUFFICIENT', 'amount');
  });

  it('is refused within one district', () => {
    history.when(...reallocated(1, '001')).refused('DISTRICTS_ALIKE', 'toDistrict');
  });

  it('is refused for a source without a tranche', () => {
    given(opened(ON))
      .when(...reallocated(1))
      .refused('FUND_UNKNOWN', 'source');
  });
});

describe('return-principal', () => {
  const fund = (available: number, uncovered: number) => ({
    stream: 'districtFund-P:001:CITY',
    revision: 0,
    state: { available, uncovered, received: new Set(), released: new Set() } as unknown as DistrictFund,
  });
  const returned = (available: number, uncovered: number, collected: number, taken: number) => {
    const data = { programme: 'P', source: 'CITY', district: '001', businessDay: day(ON), collected, reversed: taken };
    const command = { name: 'return-principal', data, valueDate: day(ON), commandId: '', today: day(ON) };
    const decided = returnPrincipal(fund(available, uncovered), command as Parameters<typeof returnPrincipal>[1]);
    return decided.ok ? (decided.value.step?.events.map(({ data: of }) => of) ?? []) : decided;
  };

  it.each([
    // available, uncovered before, collected, reversed: returned, uncovered after
    [100, 0, 30, 0, 30, 0],
    [100, 0, 30, 10, 20, 0],
    [100, 0, 0, 30, -30, 0],
    [20, 0, 0, 30, -20, 10],
    [0, 0, 0, 30, 0, 30],
    [0, 30, 10, 0, 0, 20],
    [5, 30, 10, 0, -5, 15],
    [0, 30, 50, 0, 20, 0],
    [100, 30, 0, 0, -30, 0],
    [0, 30, 0, 5, 0, 35],
    [0, 0, 7, 7, 0, 0],
  ])('with %d available and %d uncovered, %d collected and %d reversed give back %d and leave %d', (...figures) => {
    const [available, before, collected, taken, back, uncovered] = figures;
    expect(returned(available, before, collected, taken)).toEqual([
      expect.objectContaining({ collected, reversed: taken, returned: back, uncovered }),
    ]);
  });

  it('is quiet when only what was left uncovered is there, and nothing to take it from', () => {
    expect(returned(0, 30, 0, 0)).toEqual([]);
  });
});

describe('a district fund', () => {
  it('is checked at its balance of the moment, whatever the value date', () => {
    // The whole of it was lent; what is repaid is there again after the close, also for a backdated disbursement.
    const whole = { amount: 10 ** 12 };
    const past = given(...lent(ON, whole), paid(ON, 10 ** 12, { receipt: 'R-1' }));
    past
      .when('reallocate-capital', ON, { ...MONEY, fromDistrict: '001', toDistrict: '002', amount: 1 })
      .refused('CAPITAL_INSUFFICIENT', 'amount');
    past
      .after(['close-business-day', ON, { date: ON }])
      .when('reallocate-capital', ON, { ...MONEY, fromDistrict: '001', toDistrict: '002', amount: 10 ** 12 })
      .gives(['CapitalCommitted'], ['CapitalReallocated'], ['CapitalReceived']);
  });

  it('does not have again what was reversed before the close', () => {
    const past = given(...lent(ON, { amount: 10 ** 12 }), paid(ON, 10 ** 12), reversed(ON));
    const after = past.after(['close-business-day', ON, { date: ON }]);
    expect(after.fold<DistrictFund>('districtFund-P:001:CITY').state).toMatchObject({ available: 0, uncovered: 0 });
    after.when(...disbursed(ON, { voucher: 'V-2', amount: 1 })).refused('DISBURSEMENT_ABOVE_APPROVAL', 'amount');
  });
});
