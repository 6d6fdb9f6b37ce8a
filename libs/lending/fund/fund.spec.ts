import { allocated, funded, MONEY, opened } from '../examples.js';
import { given } from '../scenario.js';
import type { Fund } from './state.js';

const ON = '2021-07-15';

describe('fund-tranche', () => {
  it('adds a tranche, the first of a source or a later one', () => {
    const first = given(opened(ON))
      .when(...funded(ON, 550))
      .gives(['TrancheFunded', { ...MONEY, amount: 550 }]);
    first.history.when(...funded(ON, 500)).gives(['TrancheFunded', { amount: 500 }]);
  });

  it('is refused for a programme that is not there', () => {
    given()
      .when(...funded(ON))
      .refused('PROGRAMME_UNKNOWN', 'programme');
  });

  it('is refused when the sum would pass what a double holds exactly', () => {
    // Nine tranches of 10^15 leave 2^53 - 1 - 9 * 10^15.
    const full = given(opened(ON), ...Array.from({ length: 9 }, () => funded(ON, 10 ** 15)));
    full.when(...funded(ON, 7_199_254_740_992)).refused('SUM_TOO_LARGE', 'amount');
    full.when(...funded(ON, 7_199_254_740_991)).gives(['TrancheFunded']);
  });
});

describe('allocate-capital', () => {
  const history = given(opened(ON), funded(ON, 1_000));

  it("takes capital from the fund and brings it to the district's", () => {
    const { history: after } = history
      .when(...allocated(ON, 600))
      .gives(
        ['CapitalAllocated', { ...MONEY, district: '001', amount: 600 }],
        ['CapitalReceived', { ...MONEY, district: '001', amount: 600, fromDistrict: null }],
      );
    expect(after.fold<Fund>('fund-P:CITY').state).toMatchObject({ funded: 1_000, unallocated: 400 });
  });

  it('gives the last đồng and not one more', () => {
    history.when(...allocated(ON, 1_000)).gives(['CapitalAllocated'], ['CapitalReceived']);
    history.when(...allocated(ON, 1_001)).refused('CAPITAL_NOT_FUNDED', 'amount');
    history
      .after(allocated(ON, 1_000))
      .when(...allocated(ON, 1))
      .refused('CAPITAL_NOT_FUNDED', 'amount');
  });

  it('is refused for a source without a tranche', () => {
    history
      .when('allocate-capital', ON, { ...MONEY, source: 'OTHER', district: '001', amount: 1 })
      .refused('FUND_UNKNOWN', 'source');
  });
});
