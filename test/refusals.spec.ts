import { type RefusalCode, refusals } from '../libs/lending/refusals.js';
import { STATUS_OF_KIND } from '../libs/surface/formats/problem.js';
import { CLI_CODES, cases } from './refusals/cases.js';
import { fixture, NOW } from './refusals/fixture.js';
import { type Surface, surface } from './surface.js';

describe('every refusal of the table', () => {
  let at: Surface;
  beforeAll(async () => {
    at = await surface({ now: NOW });
    const results = await at.sheet(fixture);
    expect(results.filter(({ status }) => status !== 200)).toEqual([]);
  });
  afterAll(() => at.close());

  it('has a case: here, or with the command line', () => {
    expect([...Object.keys(cases), ...CLI_CODES].sort()).toEqual(Object.keys(refusals).sort());
  });

  it.each(Object.entries(cases))('%s is answered as such, and nothing is written', async (code, refused) => {
    if (code === 'KEY_REUSED') await refused(at);
    const before = await at.ledger.store.head();
    const problem = await refused(at);
    const entry = refusals[code as RefusalCode];
    expect(problem).toMatchObject({ code, status: STATUS_OF_KIND[entry.kind] });
    expect(problem.detail).not.toMatch(/\{\w+\}/);
    expect(problem.errors.length).toBeGreaterThan(0);
    expect(problem.errors[0]).toMatchObject({ code, accepted: expect.not.stringMatching(/\{\w+\}/) });
    expect((await at.ledger.store.head())?.position).toBe(before?.position);
  });
});
