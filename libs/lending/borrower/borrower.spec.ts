import { applied, ground, PLACE, registered } from '../examples.js';
import { given, type Sent } from '../scenario.js';

const ON = '2021-07-15';
const group: Sent = ['register-group', ON, { group: 'G', ...PLACE, massOrganisation: 'FARMERS' }];
const reclassified: Sent = ['reclassify-borrower', ON, { borrower: 'B', borrowerClass: 'NEAR_POOR', decision: 'QĐ-5' }];

describe('register-borrower', () => {
  it('registers a borrower without a group, of no mass organisation', () => {
    given()
      .when(...registered(ON))
      .gives(['BorrowerRegistered', { borrower: 'B', group: null, massOrganisation: 'NONE', ...PLACE }]);
  });

  it("takes the group's mass organisation, and the borrower's own commune", () => {
    given(group)
      .when(...registered(ON, { group: 'G', commune: '00099' }))
      .gives(['BorrowerRegistered', { group: 'G', massOrganisation: 'FARMERS', commune: '00099' }]);
  });

  it('is refused for an id that exists', () => {
    given(registered(ON))
      .when(...registered(ON))
      .refused('BORROWER_EXISTS', 'borrower');
  });

  it('is refused for a group that is not there', () => {
    given()
      .when(...registered(ON, { group: 'G' }))
      .refused('GROUP_UNKNOWN', 'group');
  });

  it("is refused for another district than the group's", () => {
    const { outcome } = given(group)
      .when(...registered(ON, { group: 'G', district: '002' }))
      .refused('DISTRICT_NOT_OF_GROUP', 'district');
    expect(outcome.refusal?.errors[0]?.accepted).toBe("the group's district, 001");
  });
});

describe('reclassify-borrower', () => {
  it('says the class before and after, and the district', () => {
    given(registered(ON))
      .when(...reclassified)
      .gives(['BorrowerReclassified', { borrowerClass: 'NEAR_POOR', previousClass: 'POOR', district: '001' }]);
  });

  it('concerns later applications only', () => {
    const history = given(...ground(ON), applied(ON), reclassified);
    history.when(...applied(ON, { loan: 'L2' })).gives(['LoanApplied', { borrowerClass: 'NEAR_POOR' }]);
    history
      .when('reject-loan', ON, { loan: 'L', reason: 'rút đơn', decision: 'QĐ-2' })
      .gives(['LoanRejected', { borrowerClass: 'POOR' }]);
  });

  it('is refused for a borrower who is not there', () => {
    given()
      .when(...reclassified)
      .refused('BORROWER_UNKNOWN', 'borrower');
  });
});
