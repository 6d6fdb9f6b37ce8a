import { PLACE } from '../examples.js';
import { given, type Sent } from '../scenario.js';

const GROUP = { group: 'G', ...PLACE, massOrganisation: 'WOMEN' };
const registered: Sent = ['register-group', '2021-07-15', GROUP];

describe('register-group', () => {
  it('registers a group with its place and mass organisation', () => {
    given()
      .when(...registered)
      .gives(['GroupRegistered', GROUP]);
  });

  it('is refused for an id that exists', () => {
    given(registered)
      .when('register-group', '2021-07-15', { ...GROUP, district: '002' })
      .refused('GROUP_EXISTS', 'group');
  });
});
