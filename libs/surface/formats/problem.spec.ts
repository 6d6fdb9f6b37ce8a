import { FollowerBehind } from '../../engine/ledger.js';
import { StoreUnavailable } from '../../event-store/port.js';
import { refusals, refuse } from '../../lending/refusals.js';
import { FIELD_CHARACTERS_MAX, PROBLEMS_MAX } from '../config.js';
import { problemLine, resultLine } from './answer.js';
import { INTERNAL_ERROR, problemOf, problemOfError, STATUS_OF_KIND } from './problem.js';

const codes = Object.keys(refusals) as (keyof typeof refusals)[];

describe('problem details', () => {
  it.each(codes)('%s has its status, its title and its text in both languages', (code) => {
    const { error } = refuse(code, 'field');
    const [en, vi] = [problemOf(error, 'en'), problemOf(error, 'vi')];
    expect(en.status).toBe(STATUS_OF_KIND[refusals[code].kind]);
    expect(en.code).toBe(code);
    expect(en.errors.map(({ code }) => code)).toEqual([code]);
    expect(vi.detail).not.toBe(en.detail);
    expect(vi.title).not.toBe(en.title);
  });

  it('fills the text with the parameters', () => {
    const problem = problemOf(refuse('REVISION_MOVED', 'ifMatch', { revision: 7 }).error, 'en');
    expect(problem).toMatchObject({ status: 412, detail: 'The stream stands at revision 7.' });
  });

  it('is bounded, whatever was sent', () => {
    const errors = Array.from({ length: 1_000 }, () => ({
      field: 'x'.repeat(10_000),
      code: 'FIELD_UNKNOWN',
      accepted: '',
    }));
    const problem = problemOf({ code: 'FIELD_UNKNOWN', errors, params: {} }, 'en');
    expect(problem.errors).toHaveLength(PROBLEMS_MAX);
    expect(problem.errors[0]?.field).toHaveLength(FIELD_CHARACTERS_MAX);
  });

  it('is the same in a line, without what only HTTP has', () => {
    const problem = problemOf(refuse('LOAN_SETTLED', 'loan').error, 'en');
    const { status, code, detail, errors } = problem;
    expect(JSON.parse(problemLine(3, problem))).toEqual({ line: 3, status, code, detail, errors });
  });

  it('knows the refusals that stores and followers stand for, and calls the rest a mistake of ours', () => {
    expect(problemOfError(new StoreUnavailable('DATA_READ_ONLY', 'x'), 'en')).toMatchObject({
      code: 'LEDGER_READ_ONLY',
      status: 503,
    });
    expect(problemOfError(new FollowerBehind('loan'), 'en')).toMatchObject({ code: 'READ_MODEL_BEHIND', status: 503 });
    expect(problemOfError(new Error('x'), 'en')).toMatchObject({ code: INTERNAL_ERROR, status: 500 });
  });

  it('stands beside acceptances, which have warnings only where there are any', () => {
    const accepted = { accepted: true, duplicate: false, events: [], token: 't', warnings: [] } as const;
    expect(resultLine(1, accepted, 'en')).toBe('{"line":1,"status":200,"duplicate":false,"events":[],"token":"t"}\n');
    const warnings = [{ code: 'PREPAID_BESIDE_OVERDUE', receipts: ['R1'] }];
    expect(JSON.parse(resultLine(1, { ...accepted, warnings }, 'en'))).toMatchObject({ warnings });
  });
});
