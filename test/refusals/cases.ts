import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { FollowerStatus } from '../../libs/engine/answers.js';
import { FollowerBehind, FollowerHalted } from '../../libs/engine/ledger.js';
import { StoreUnavailable } from '../../libs/event-store/port.js';
import type { RefusalCode } from '../../libs/lending/refusals.js';
import { type Problem, type Surface, surface } from '../surface.js';
import {
  allocation,
  application,
  approval,
  borrower,
  FIRST,
  group,
  line,
  OPEN,
  part,
  payment,
  policy,
  programme,
  reversal,
  tranche,
} from './fixture.js';

/** Those that only the command line meets: cli.spec.ts has their cases. */
export const CLI_CODES = [
  'LEDGER_HELD',
  'LEDGER_SIMULATED',
  'SIMULATION_OTHER',
  'FILE_UNREADABLE',
  'LEDGER_READ_ONLY',
  'DATA_DAMAGED',
  'DATA_FOREIGN',
  'IMPORT_TARGET_DIFFERS',
] as const satisfies readonly RefusalCode[];

/** A request that is refused, on the fixture's ledger or on one of its own. */
export type Case = (at: Surface) => Promise<Problem>;

const of = async (response: Response): Promise<Problem> => (await response.json()) as Problem;
const post =
  (name: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Case =>
  async (at) =>
    of(await at.post(name, body, headers));
const get =
  (path: string): Case =>
  async (at) =>
    of(await at.get(path));
/** A command on the open day, through its own route. */
const command = (name: string, data: object): Case => post(name, { valueDate: OPEN, ...data });
const sheetLine =
  (text: string | object): Case =>
  async ({ url }) => {
    const body = typeof text === 'string' ? text : JSON.stringify(text);
    const headers = { 'content-type': 'application/x-ndjson' };
    const answer = await fetch(`${url}/v1/commands`, { method: 'POST', headers, body });
    return JSON.parse((await answer.text()).split('\n', 1)[0] ?? '') as Problem;
  };
/** On a ledger that is made for the case and gone after it. */
const elsewhere =
  (options: Parameters<typeof surface>[0], then: Case): Case =>
  async () => {
    const at = await surface(options);
    try {
      return await then(at);
    } finally {
      await at.close();
    }
  };
const rejecting = (error: Error) => () => Promise.reject(error);
const status = { halted: { type: 'LoanDisbursed', stream: 'loan-L1', position: '1', error: 'x' } } as FollowerStatus;

const requests = {
  BODY_NOT_JSON: post('approve-loan', '{"loan":'),
  LINE_NOT_JSON: sheetLine('x\n'),
  LINE_INCOMPLETE: sheetLine('{"command":'),
  LINE_TOO_LARGE: sheetLine(`${JSON.stringify('x'.repeat(70_000))}\n`),
  BODY_TOO_LARGE: post('approve-loan', JSON.stringify({ reason: 'x'.repeat(70_000) })),
  OBJECT_INVALID: sheetLine('[]\n'),
  LIST_INVALID: command('open-programme', { ...programme, programme: 'X', targets: {} }),
  FIELD_UNKNOWN: command('approve-loan', { ...approval('APPLIED'), surprise: 1 }),
  FIELD_MISSING: command('approve-loan', { loan: 'APPLIED', amount: 1 }),
  AMOUNT_INVALID: command('approve-loan', approval('APPLIED', -1)),
  INTEGER_INVALID: command('apply-for-loan', application('X', { jobs: 1.5 })),
  BOOLEAN_INVALID: async (at: Surface) => {
    const headers = { 'content-type': 'application/x-ndjson' };
    return of(await fetch(`${at.url}/v1/commands?dryRun=perhaps`, { method: 'POST', headers, body: '' }));
  },
  RATE_INVALID: command('publish-policy', { ...policy, annualRate: '1.5' }),
  DATE_INVALID: post('approve-loan', { valueDate: '2021-02-30', ...approval('APPLIED') }),
  INSTANT_INVALID: sheetLine(line('approve-loan', OPEN, approval('APPLIED'), { id: 'i', recordedAt: 'today' })),
  ID_INVALID: command('approve-loan', approval('no spaces')),
  REFERENCE_INVALID: command('approve-loan', { ...approval('APPLIED'), decision: 'two words' }),
  TEXT_INVALID: command('apply-for-loan', application('X', { purpose: ' ' })),
  CODE_UNKNOWN: command('record-payment', payment('ACTIVE', 'X', 1, { method: 'BARTER' })),
  DISTRICT_UNKNOWN: command('allocate-capital', allocation({ district: '999' })),
  COMMUNE_INVALID: command('register-group', { ...group, group: 'X', commune: '1' }),
  MASS_ORGANISATION_UNKNOWN: command('register-group', { ...group, group: 'X', massOrganisation: 'CHESS' }),
  BORROWER_CLASS_UNKNOWN: command('register-borrower', { ...borrower, borrower: 'X', borrowerClass: 'RICH' }),
  COMMAND_UNKNOWN: post('mark-overdue', {}),
  KEY_MISSING: sheetLine(line('approve-loan', OPEN, approval('APPLIED'))),
  KEY_INVALID: post('approve-loan', {}, { 'idempotency-key': '~process' }),
  ACTOR_INVALID: post('approve-loan', { valueDate: OPEN, ...approval('APPLIED') }, { 'socai-actor': 'two words' }),
  IF_MATCH_INVALID: post('approve-loan', { valueDate: OPEN, ...approval('APPLIED') }, { 'if-match': 'latest' }),
  PARAMETER_UNKNOWN: get('/v1/portfolio-quality?colour=red'),
  PARAMETER_INVALID: get('/v1/portfolio-quality?asOf=2021-02-30'),
  KEY_REUSED: async (at: Surface) => {
    const key = { 'idempotency-key': 'twice' };
    await at.post('fund-tranche', { valueDate: OPEN, ...tranche('S', 5) }, key);
    return of(await at.post('fund-tranche', { valueDate: OPEN, ...tranche('S', -5) }, key));
  },
  REVISION_MOVED: post('approve-loan', { valueDate: OPEN, ...approval('APPLIED') }, { 'if-match': '"7"' }),
  RECORDED_AT_NOT_ALLOWED: elsewhere(
    { simulated: false },
    sheetLine(line('open-programme', FIRST, programme, { id: 'r', recordedAt: '2021-01-04T09:00:00Z' })),
  ),
  RECORDED_AT_TOO_EARLY: sheetLine(
    line('approve-loan', OPEN, approval('APPLIED'), { id: 'r', recordedAt: '2020-01-01T00:00:00Z' }),
  ),
} satisfies Partial<Record<RefusalCode, Case>>;

const domain = {
  LEDGER_EMPTY: elsewhere({}, post('close-business-day', { date: FIRST })),
  VALUE_DATE_AFTER_OPEN_DAY: post('approve-loan', { valueDate: '2021-02-11', ...approval('APPLIED') }),
  VALUE_DATE_BEFORE_LEDGER: post('approve-loan', { valueDate: '2021-01-03', ...approval('APPLIED') }),
  VALUE_DATE_AFTER_CLOCK: elsewhere({}, post('open-programme', { valueDate: '2199-01-01', ...programme })),
  DAY_AHEAD_OF_CLOCK: post('close-business-day', { date: '2021-02-11' }),
  PROGRAMME_EXISTS: command('open-programme', programme),
  PROGRAMME_UNKNOWN: command('publish-policy', { ...policy, programme: 'X' }),
  PERIOD_INVALID: command('open-programme', { ...programme, programme: 'X', to: '2020-01-01' }),
  YEAR_TWICE: command('open-programme', {
    ...{ ...programme, programme: 'X' },
    targets: [...programme.targets, ...programme.targets],
  }),
  POLICY_UNKNOWN: command('approve-loan', approval('UNRULED')),
  GROUP_EXISTS: command('register-group', group),
  GROUP_UNKNOWN: command('register-borrower', { ...borrower, borrower: 'X', group: 'X' }),
  DISTRICT_NOT_OF_GROUP: command('register-borrower', { ...borrower, borrower: 'X', district: '271' }),
  BORROWER_EXISTS: command('register-borrower', borrower),
  BORROWER_UNKNOWN: command('apply-for-loan', application('X', { borrower: 'X' })),
  SUM_TOO_LARGE: command('fund-tranche', tranche('FULL', 1_000_000_000_000_000)),
  FUND_UNKNOWN: command('allocate-capital', allocation({ source: 'X' })),
  CAPITAL_NOT_FUNDED: command('allocate-capital', allocation({ amount: 9_000_000_000 })),
  CAPITAL_INSUFFICIENT: command('disburse-loan', part('ELSEWHERE', 50_000_000, 'V1')),
  DISTRICTS_ALIKE: command('reallocate-capital', {
    ...{ programme: 'P', source: 'S', fromDistrict: '268', toDistrict: '268', amount: 1, decision: 'QD-5' },
  }),
  LOAN_EXISTS: command('apply-for-loan', application('APPLIED')),
  LOAN_UNKNOWN: command('approve-loan', approval('X')),
  LOAN_NOT_APPLIED: command('approve-loan', approval('APPROVED')),
  LOAN_NOT_APPROVED: command('disburse-loan', part('APPLIED', 1, 'V1')),
  LOAN_NOT_DISBURSED: command('record-payment', payment('APPROVED', 'R1', 1)),
  LOAN_SETTLED: command('record-payment', payment('SETTLED', 'R2', 1)),
  APPROVAL_ABOVE_APPLICATION: command('approve-loan', approval('APPLIED', 50_000_001)),
  LIMIT_PER_JOB: command('approve-loan', approval('MANY', 100_000_001)),
  LIMIT_PER_LOAN: command('approve-loan', approval('LARGE', 2_000_000_001)),
  LIMIT_TERM: command('approve-loan', approval('LONG')),
  VALUE_DATE_ORDER: post('approve-loan', { valueDate: '2021-01-05', ...approval('APPLIED') }),
  VALUE_DATE_AFTER_LAST_DUE: command('disburse-loan', part('SHORT', 1, 'V2')),
  DISBURSEMENT_ABOVE_APPROVAL: command('disburse-loan', part('ACTIVE', 10_000_001, 'V2')),
  VOUCHER_ALREADY_USED: command('disburse-loan', part('ACTIVE', 1, 'V1')),
  RECEIPT_ALREADY_USED: command('record-payment', payment('ACTIVE', 'R2', 1)),
  RECEIPT_UNKNOWN: command('reverse-payment', reversal('ACTIVE', 'X')),
  PAYMENT_ALREADY_REVERSED: command('reverse-payment', reversal('ACTIVE', 'R2')),
  PAYMENT_ABOVE_DUE: command('record-payment', payment('ACTIVE', 'X', 90_000_000)),
  ALLOCATION_SUM: command('record-payment', payment('ACTIVE', 'X', 5, { allocation: { principalDue: 4 } })),
  ALLOCATION_ABOVE_UNPAID: command(
    'record-payment',
    payment('ACTIVE', 'X', 5, { allocation: { principalOverdue: 5 } }),
  ),
  GROUP_LEADER_PRINCIPAL: command('record-payment', payment('ACTIVE', 'X', 9_000_000, { method: 'GROUP_LEADER' })),
} satisfies Partial<Record<RefusalCode, Case>>;

const service = {
  LOAN_NOT_KNOWN: get('/v1/loan?loan=ACTIVE&asOf=2021-01-10'),
  PROJECTION_UNKNOWN: async (at: Surface) =>
    of(await fetch(`${at.url}/v1/projections/nothing/rebuild`, { method: 'POST' })),
  ROUTE_UNKNOWN: get('/v1/nothing'),
  METHOD_UNSUPPORTED: get('/v1/commands/approve-loan'),
  TOKEN_INVALID: get('/v1/capital-plan?after=yesterday'),
  READ_MODEL_BEHIND: elsewhere({ instead: { read: rejecting(new FollowerBehind('loan')) } }, get('/v1/capital-plan')),
  READ_MODEL_HALTED: elsewhere(
    { instead: { read: rejecting(new FollowerHalted('loan', status)) } },
    get('/v1/capital-plan'),
  ),
  DISK_FULL: elsewhere(
    { instead: { handle: rejecting(new StoreUnavailable('DISK_FULL', 'no room')) } },
    post('open-programme', { valueDate: FIRST, ...programme }),
  ),
  STORE_UNREACHABLE: elsewhere(
    { instead: { handle: rejecting(new StoreUnavailable('NO_LEADER', 'no leader')) } },
    post('open-programme', { valueDate: FIRST, ...programme }),
  ),
  OUTCOME_UNKNOWN: elsewhere(
    { instead: { handle: rejecting(new StoreUnavailable('OUTCOME_UNKNOWN', 'no answer')) } },
    post('open-programme', { valueDate: FIRST, ...programme }),
  ),
  STORE_REFUSES: elsewhere(
    { instead: { handle: rejecting(new StoreUnavailable('UNAUTHORIZED', 'another password')) } },
    post('open-programme', { valueDate: FIRST, ...programme }),
  ),
  SHUTTING_DOWN: elsewhere({}, stopping),
} satisfies Partial<Record<RefusalCode, Case>>;

/** A line that comes after the stop was asked for, on a sheet that was under way. */
async function stopping(at: Surface): Promise<Problem> {
  const headers = { 'content-type': 'application/x-ndjson' };
  const sheet = request(`${at.url}/v1/commands`, { method: 'POST', headers });
  sheet.write('{}\n');
  const [answer] = (await once(sheet, 'response')) as [IncomingMessage];
  let text = '';
  answer.on('data', (piece: Buffer) => {
    text += piece.toString('utf8');
  });
  const stopped = at.served.stop();
  sheet.end(`${JSON.stringify(line('open-programme', FIRST, programme, { id: 's' }))}\n`);
  await Promise.all([stopped, once(answer, 'end')]);
  return JSON.parse(text.trimEnd().split('\n')[1] ?? '') as Problem;
}

/** Every code but those of the command line: the compiler finds the one that is missing. */
export const cases: Readonly<Record<Exclude<RefusalCode, (typeof CLI_CODES)[number]>, Case>> = {
  ...requests,
  ...domain,
  ...service,
};
