import type { Rate } from '../../kernel/rate.js';
import { ground, opened, POLICY, published } from '../examples.js';
import { day, given } from '../scenario.js';
import { type Policies, policyInForce } from './state.js';

const ON = '2021-07-15';

describe('publish-policy', () => {
  it('publishes terms for any source and class', () => {
    given(opened(ON))
      .when(...published(ON))
      .gives(['PolicyPublished', { ...POLICY, source: null, borrowerClass: null }]);
  });

  it('publishes again under the same key of terms: the last one counts', () => {
    given(opened(ON), published(ON))
      .when(...published(ON))
      .gives(['PolicyPublished']);
  });

  it('names a source that has no tranche yet', () => {
    given(opened(ON))
      .when(...published(ON, { source: 'DISTRICT-BUDGET', borrowerClass: 'POOR' }))
      .gives(['PolicyPublished', { source: 'DISTRICT-BUDGET', borrowerClass: 'POOR' }]);
  });

  it('is refused for a programme that is not there', () => {
    given()
      .when(...published(ON))
      .refused('PROGRAMME_UNKNOWN', 'programme');
  });
});

describe('the policy in force', () => {
  const rates = (...terms: readonly Readonly<Record<string, unknown>>[]): Policies => {
    const history = given(opened(ON), ...terms.map((own) => published(ON, own)));
    return history.fold<Policies>('policy-P').state;
  };
  const inForce = (policies: Policies, on = '2024-01-01', source = 'CITY', borrowerClass = 'POOR'): Rate | undefined =>
    policyInForce(policies, day(on), { source, borrowerClass })?.annualRate;

  const any = { annualRate: '0.01' };
  const ofClass = { annualRate: '0.02', borrowerClass: 'POOR' };
  const ofSource = { annualRate: '0.03', source: 'CITY' };
  const ofBoth = { annualRate: '0.04', source: 'CITY', borrowerClass: 'POOR' };

  it.each([
    ['source and class before all', [any, ofClass, ofSource, ofBoth], '0.04'],
    ['source before class', [ofSource, any, ofClass], '0.03'],
    ['class before neither', [ofClass, any], '0.02'],
    ['neither when nothing else fits', [any], '0.01'],
    ['the more specific even when it is older', [{ ...any, effectiveFrom: '2023-12-31' }, ofClass], '0.02'],
    [
      'the latest effective date of equally specific ones',
      [{ ...any, effectiveFrom: '2023-01-01' }, { annualRate: '0.09' }],
      '0.01',
    ],
    ['the last published of one effective date', [any, { annualRate: '0.05' }, { annualRate: '0.06' }], '0.06'],
    ['none before its day', [{ ...any, effectiveFrom: '2024-01-02' }], undefined],
    ['one from its day on', [{ ...any, effectiveFrom: '2024-01-01' }], '0.01'],
    ['none of another source', [{ ...any, source: 'OTHER' }], undefined],
    ['none of another class', [{ ...any, borrowerClass: 'DISABLED' }], undefined],
  ])('is %s', (_, policies, expected) => {
    expect(inForce(rates(...policies))).toBe(expected);
  });

  it('carries the revision under which it was published', () => {
    const policies = given(...ground(ON), published(ON, { annualRate: '0.05' })).fold<Policies>('policy-P').state;
    expect(policyInForce(policies, day(ON), { source: 'CITY', borrowerClass: 'POOR' })?.revision).toBe(1);
  });
});
