import { opened, PROGRAMME, TARGET } from '../examples.js';
import { given } from '../scenario.js';

const ON = '2021-07-15';

describe('open-programme', () => {
  it('opens a programme with its plan and targets', () => {
    given()
      .when(...opened(ON))
      .gives(['ProgrammeOpened', PROGRAMME]);
  });

  it('opens beside another programme', () => {
    given(opened(ON))
      .when('open-programme', ON, { ...PROGRAMME, programme: 'Q', targets: [] })
      .gives(['ProgrammeOpened', { programme: 'Q', targets: [] }]);
  });

  it('takes one day, and a target of nothing', () => {
    const targets = [{ ...TARGET, capital: 0, jobs: 0, collectionRateAtLeast: '0', overdueRatioBelow: '1' }];
    given()
      .when('open-programme', ON, { ...PROGRAMME, to: PROGRAMME.from, targets })
      .gives(['ProgrammeOpened', { targets }]);
  });

  it('is refused for an id that exists', () => {
    given(opened(ON))
      .when(...opened(ON))
      .refused('PROGRAMME_EXISTS', 'programme');
  });

  it('is refused when it ends before it begins', () => {
    given()
      .when('open-programme', ON, { ...PROGRAMME, to: '2021-06-30' })
      .refused('PERIOD_INVALID', 'to');
  });

  it('is refused with two targets for a year, and names the second', () => {
    const targets = [TARGET, { ...TARGET, year: 2022 }, { ...TARGET, capital: 2 }];
    given()
      .when('open-programme', ON, { ...PROGRAMME, targets })
      .refused('YEAR_TWICE', 'targets[2].year');
  });
});
