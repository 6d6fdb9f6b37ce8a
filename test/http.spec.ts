import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { FollowerBehind, type Ledger } from '../libs/engine/ledger.js';
import { commands } from '../libs/lending/catalogue.js';
import { projections, queries } from '../libs/projections/catalogue.js';
import { makeSurface } from '../libs/surface/nest/surface.module.js';
import { fixture, NOW, OPEN, tranche } from './refusals/fixture.js';
import { type Surface, surface } from './surface.js';

const NDJSON = { 'content-type': 'application/x-ndjson' };
const json = async (response: Response) => (await response.json()) as Record<string, unknown>;
const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe('HTTP', () => {
  let at: Surface;
  beforeAll(async () => {
    at = await surface({ now: NOW });
    const results = await at.sheet(fixture);
    expect(results.filter(({ status }) => status !== 200)).toEqual([]);
  });
  afterAll(() => at.close());
  const head = async () => (await at.ledger.store.head())?.position;
  const fund = (key: string, amount: unknown, headers: Readonly<Record<string, string>> = {}) =>
    at.post('fund-tranche', { valueDate: OPEN, ...tranche('S', 1), amount }, { 'idempotency-key': key, ...headers });

  describe('a command', () => {
    it('is answered with its events and a token, and the same again for the same key and body', async () => {
      const [first, again, asText] = [await fund('same', 7), await fund('same', 7), await fund('same', '7')];
      expect(first.status).toBe(200);
      const body = await json(first);
      expect(body).toMatchObject({ status: 200, duplicate: false, token: await head() });
      expect(body.events).toEqual([
        { type: 'TrancheFunded', stream: 'fund-P:S', revision: expect.any(Number), position: body.token },
      ]);
      expect(await json(again)).toEqual({ ...body, duplicate: true });
      expect(await json(asText)).toEqual({ ...body, duplicate: true });
    });

    it('is refused with another body for a known key, even with one that cannot be read', async () => {
      await fund('reused', 7);
      expect(await json(await fund('reused', 8))).toMatchObject({ status: 422, code: 'KEY_REUSED' });
      expect(await json(await fund('reused', 'many'))).toMatchObject({ status: 422, code: 'KEY_REUSED' });
    });

    it('names every field that cannot be read', async () => {
      const { errors } = await json(await at.post('fund-tranche', { amount: 0, surprise: 1 }));
      const fields = (errors as { field: string; code: string }[]).map(({ field, code }) => [field, code]);
      expect(fields).toEqual([
        ['surprise', 'FIELD_UNKNOWN'],
        ['programme', 'FIELD_MISSING'],
        ['source', 'FIELD_MISSING'],
        ['amount', 'AMOUNT_INVALID'],
        ['decision', 'FIELD_MISSING'],
        ['valueDate', 'FIELD_MISSING'],
      ]);
    });

    it('keeps members that pipes strip, so that they are refused by name', async () => {
      const answer = await at.post('approve-loan', `{"__proto__":{"loan":"X"},"valueDate":"${OPEN}"}`);
      expect((await json(answer)).errors).toContainEqual(
        expect.objectContaining({ field: '__proto__', code: 'FIELD_UNKNOWN' }),
      );
    });

    it('refuses what is nested deeper than the stack is', async () => {
      const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
      const answer = await at.post('approve-loan', `{"loan":${deep},"valueDate":"${OPEN}"}`);
      expect(await json(answer)).toMatchObject({ status: 400, code: 'ID_INVALID' });
    });

    it('takes If-Match bare and quoted', async () => {
      const { events } = await json(await fund('if-0', 1));
      const { revision } = (events as { revision: number }[])[0] ?? { revision: -2 };
      expect((await fund('if-1', 1, { 'if-match': `${revision}` })).status).toBe(200);
      expect((await fund('if-2', 1, { 'if-match': `"${revision + 1}"` })).status).toBe(200);
      expect((await fund('if-3', 1, { 'if-match': `${revision}` })).status).toBe(412);
      expect((await fund('if-4', 1, { 'if-match': '-1' })).status).toBe(412);
    });

    it('takes header text as UTF-8, and the actor is no part of the body', async () => {
      const actor = Buffer.from('Nguyễn.Văn.An', 'utf8').toString('latin1');
      await fund('actor', 3, { 'socai-actor': actor });
      const event = await at.ledger.store.head();
      expect(event?.meta.actor).toBe('Nguyễn.Văn.An');
      expect(await json(await fund('actor', 3))).toMatchObject({ duplicate: true });
    });

    it('hands the correlation id to the events, the answer and the log', async () => {
      const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
      const answer = await fund('traced', 3, { traceparent: `00-${trace}-00f067aa0ba902b7-01` });
      expect(answer.headers.get('x-correlation-id')).toBe(trace);
      expect((await at.ledger.store.head())?.meta.correlationId).toBe(trace);
    });

    it('says what would happen, and writes nothing', async () => {
      const before = await head();
      const post = (name: string) =>
        fetch(`${at.url}/v1/commands/${name}?dryRun=true`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': 'dry' },
          body: JSON.stringify({ valueDate: OPEN, ...tranche('S', 5) }),
        });
      expect(await json(await post('fund-tranche'))).toMatchObject({ status: 200, duplicate: false });
      expect(await head()).toBe(before);
    });

    it('reads JSON and nothing else, and answers in the language that is asked for', async () => {
      const post = (type: string) =>
        fetch(`${at.url}/v1/commands/approve-loan`, {
          method: 'POST',
          headers: { 'content-type': type, 'accept-language': 'vi' },
          body: '{}',
        });
      for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/x-ndjson']) {
        const answer = await post(type);
        expect(answer.headers.get('content-type')).toContain('application/problem+json');
        expect(await json(answer)).toMatchObject({ code: 'BODY_NOT_JSON', detail: 'Nội dung không phải là JSON.' });
      }
    });
  });

  describe('a sheet', () => {
    const post = (body: string | Uint8Array, search = '') =>
      fetch(`${at.url}/v1/commands${search}`, { method: 'POST', headers: NDJSON, body: body as string });
    const line = (id: string, amount: number) =>
      JSON.stringify({ command: 'fund-tranche', id, valueDate: OPEN, data: tranche('S', amount) });

    it('has a result a line, with the same key twice in it', async () => {
      const answer = await post(`${line('s-1', 1)}\r\n\n${line('s-1', 1)}\nx\n${line('s-1', 2)}`);
      expect(answer.headers.get('content-type')).toBe('application/x-ndjson');
      const found = lines(await answer.text());
      expect(found.map(({ line, status, duplicate, code }) => [line, status, duplicate ?? code])).toEqual([
        [1, 200, false],
        [3, 200, true],
        [4, 400, 'LINE_NOT_JSON'],
        [5, 422, 'KEY_REUSED'],
      ]);
      expect(Object.keys(found[2] ?? {})).toEqual(['line', 'status', 'code', 'detail', 'errors']);
    });

    it('shows later lines what earlier ones would have done, and writes nothing', async () => {
      const before = await head();
      const group = { group: 'DRY', district: '268', commune: '09552', massOrganisation: 'WOMEN' };
      const sheet = [
        { command: 'register-group', valueDate: OPEN, data: group },
        { command: 'register-group', valueDate: OPEN, data: group },
      ];
      const found = await at.sheet(sheet, '?dryRun=true');
      expect(found.map(({ code }) => code)).toEqual([undefined, 'GROUP_EXISTS']);
      expect(await head()).toBe(before);
    });

    it('is taken whole from a client that takes no result meanwhile', async () => {
      const count = 40_000;
      const sheet = httpRequest(`${at.url}/v1/commands`, { method: 'POST', headers: NDJSON });
      const answered = once(sheet, 'response') as Promise<[IncomingMessage]>;
      sheet.end('x\n'.repeat(count));
      const [answer] = await answered;
      // Some 8 MB of results wait for a reader that does not read.
      await once(sheet, 'close', { signal: AbortSignal.timeout(100) }).catch(() => {});
      expect(sheet.writableFinished).toBe(true);
      let text = '';
      answer.setEncoding('utf8');
      for await (const piece of answer) text += piece;
      const found = lines(text);
      expect(found.map(({ line }) => line)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
    }, 30_000);

    it('is finished as far as it has begun when its client goes away', async () => {
      const sheet = httpRequest(`${at.url}/v1/commands`, { method: 'POST', headers: NDJSON });
      sheet.on('error', () => {});
      sheet.write(`${line('gone-1', 1)}\n${line('gone-2', 1)}`);
      await once(sheet, 'response');
      sheet.destroy();
      for (let tries = 0; tries < 100; tries++) {
        const answer = await json(await fund('gone-1', 1));
        if (answer.duplicate === true) break;
        await wait(20);
      }
      // The line that was cut was not taken, and the service goes on.
      expect(await json(await fund('gone-2', 1))).toMatchObject({ status: 200, duplicate: false });
    });
  });

  describe('a query', () => {
    it('answers as of the open day by default', async () => {
      expect(await json(await at.get('/v1/portfolio-quality?by=district'))).toMatchObject({
        asOf: OPEN,
        rows: expect.arrayContaining([expect.objectContaining({ district: '268' })]),
      });
    });

    it('sees what the command of its token wrote', async () => {
      const plan = async (after: string) => json(await at.get(`/v1/capital-plan?programme=P&after=${after}`));
      const { total } = (await plan('')) as { total: { funded: number } };
      const { token } = await json(await fund('token', 11));
      expect(await plan(String(token))).toMatchObject({ total: { funded: total.funded + 11 } });
    });

    it('gives its rows as CSV and as NDJSON', async () => {
      const csv = await at.get('/v1/district-balances', { accept: 'text/csv' });
      expect(csv.headers.get('content-type')).toContain('text/csv');
      expect((await csv.text()).split('\r\n')[0]).toMatch(/^district,allocated,committed,/);
      const rows = lines(await (await at.get('/v1/district-balances', { accept: 'application/x-ndjson' })).text());
      expect(rows[0]).toMatchObject({ district: '268' });
    });

    it('names each parameter that cannot be taken, and one that is given twice', async () => {
      const problem = await json(
        await at.get('/v1/audit-trail?__proto__=x&colour=red&limit=0&from=x&to=2021-01-01&to=2021-01-02'),
      );
      const named = (problem.errors as { field: string; code: string }[]).map(({ field, code }) => `${field} ${code}`);
      expect(named.sort()).toEqual([
        '__proto__ PARAMETER_UNKNOWN',
        'colour PARAMETER_UNKNOWN',
        'from PARAMETER_INVALID',
        'limit PARAMETER_INVALID',
        'to PARAMETER_INVALID',
      ]);
    });

    it('pages the audit trail by its cursor', async () => {
      const seen: unknown[] = [];
      let cursor = '';
      for (let pages = 0; pages < 100; pages++) {
        const page = await json(await at.get(`/v1/audit-trail?loan=ACTIVE&limit=2${cursor}`));
        seen.push(...(page.rows as { position: string }[]).map(({ position }) => position));
        if (typeof page.next !== 'string') break;
        cursor = `&cursor=${page.next}`;
      }
      expect(seen.length).toBeGreaterThan(4);
      expect(new Set(seen).size).toBe(seen.length);
    });
  });

  describe('the ledger', () => {
    const events = async (search: string) => lines(await (await at.get(`/v1/events?${search}`)).text());

    it('gives its events as stored: a stream, from a position, so many, as of a day', async () => {
      const stream = await events('stream=loan-ACTIVE');
      expect(stream.map(({ revision }) => revision)).toEqual(stream.map((_, index) => index));
      expect(Object.keys(stream[0] ?? {}).sort()).toEqual(
        ['data', 'id', 'meta', 'position', 'revision', 'stream', 'type', 'version'].sort(),
      );
      const [first, second] = await events('limit=2');
      expect(await events(`from=${first?.position}&limit=1`)).toEqual([second]);
      const early = await events('asOf=2021-01-04');
      expect(early.length).toBeLessThan((await events('')).length);
      expect(early.every(({ meta }) => (meta as { valueDate: string }).valueDate <= '2021-01-04')).toBe(true);
      expect((await at.get('/v1/events?knownOn=2021-01-04')).status).toBe(200);
      expect(await json(await at.get('/v1/events?from=7'))).toMatchObject({ code: 'PARAMETER_INVALID' });
    });

    it('has a route for its digest, its day, and its projections', async () => {
      expect(await json(await at.get('/v1/digest'))).toEqual({ digest: await at.ledger.digest() });
      expect(await json(await at.get('/v1/audit'))).toMatchObject({ holds: true, failure: null });
      expect(await json(await at.get('/v1/business-day'))).toMatchObject({ open: OPEN, simulated: true });
      const { projections: shown } = await json(await at.get('/v1/projections'));
      const names = (shown as { name: string }[]).map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(projections.map(({ name }) => name)));
    });

    it('retries and rebuilds a projection', async () => {
      const post = (path: string, headers = {}) => fetch(`${at.url}${path}`, { method: 'POST', headers });
      expect(await json(await post('/v1/projections/loan/rebuild'))).toMatchObject({
        ...{ name: 'loan', difference: null, switched: true },
      });
      const progress = lines(
        await (await post('/v1/projections/loan/rebuild', { accept: 'application/x-ndjson' })).text(),
      );
      expect(progress.at(-1)).toMatchObject({ name: 'loan', switched: true });
      expect((await post('/v1/projections/nothing/retry')).status).toBe(404);
    });
  });

  describe('around it', () => {
    it('documents every command and query', async () => {
      const { paths, openapi } = (await json(await at.get('/docs-json'))) as {
        openapi: string;
        paths: Record<string, unknown>;
      };
      expect(openapi).toBe('3.1.0');
      const names = [
        ...commands.filter((entry) => entry.public).map(({ name }) => `/v1/commands/${name}`),
        ...queries.map(({ name }) => `/v1/${name}`),
        ...['/v1/commands', '/v1/events', '/v1/digest', '/v1/audit', '/v1/projections'],
      ];
      expect(Object.keys(paths)).toEqual(expect.arrayContaining(names));
      expect(paths['/v1/commands/disburse-loan']).toMatchObject({
        post: {
          requestBody: {
            content: { 'application/json': { schema: { required: expect.arrayContaining(['voucher']) } } },
          },
        },
      });
      for (const path of ['/docs', '/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/start.js']) {
        expect((await at.get(path)).status).toBe(200);
      }
    });

    it('says how it is, and measures', async () => {
      expect(await json(await at.get('/health/live'))).toMatchObject({ status: 'live', instance: at.served.instance });
      const ready = await at.get('/health/ready');
      expect([ready.status, (await json(ready)).invariants]).toEqual([200, { holds: true }]);
      const metrics = await (await at.get('/metrics')).text();
      expect(metrics).toMatch(/socai_commands_total\{command="fund-tranche",outcome="accepted"\} \d+/);
      expect(metrics).toContain('socai_follower_lag_seconds{follower="loan"');
      expect(metrics).toContain('process_resident_memory_bytes');
    });

    it('is not ready while a follower is halted', async () => {
      const followers = () => [
        {
          ...({
            name: 'loan',
            instance: 'loan.1',
            kind: 'projection',
            state: 'halted',
            sequence: 1,
            position: '1',
          } as const),
          ...{ caughtUp: false, lagSeconds: 1, heartbeat: NOW },
          halted: { type: 'LoanDisbursed', stream: 'loan-L1', position: '2', error: 'x' },
          fault: null,
        },
      ];
      const other = await surface({ instead: { followers } });
      const ready = await other.get('/health/ready');
      expect([ready.status, (await json(ready)).reasons]).toEqual([503, ['loan stopped at LoanDisbursed 2: x']]);
      await other.close();
    });

    it('shows a page in Vietnamese, and in English', async () => {
      const page = await (await at.get('/?asOf=2021-02-10&knownOn=')).text();
      expect(page).toContain('<html lang="vi">');
      expect(page).toContain('Sổ mô phỏng');
      expect(page).toContain('Hà Đông');
      expect(page).toContain('<td class="number">300.000.000</td>');
      // Nothing is run but its own module, and nothing comes from elsewhere.
      expect(page.match(/<script[^>]*>[^<]*/g)).toEqual([
        '<script type="module" src="/assets/surface/web/browser/page.js">',
      ]);
      expect(page).not.toMatch(/https?:\/\/|style="|\son\w+="/);
      expect(await (await at.get('/?lang=en')).text()).toContain('Simulated ledger');
      expect((await at.get('/?asOf=x')).status).toBe(400);
    });

    describe('where a read model of the page fails', () => {
      const without = (model: string) =>
        surface({
          instead: {
            read(...[asked, after, work]: Parameters<Ledger['read']>) {
              if (asked === model) return Promise.reject(new FollowerBehind(model));
              return at.ledger.read(asked, after, work) as Promise<never>;
            },
          },
        });

      it('refuses the page before anything of it is sent', async () => {
        const other = await without('capital-plan');
        expect((await other.get('/')).status).toBe(503);
        await other.close();
      });

      it('breaks off what was begun, so that nobody takes it for whole, and goes on', async () => {
        const other = await without('audit-trail');
        const page = await other.get('/');
        await expect(page.text()).rejects.toThrow('terminated');
        expect((await other.get('/health/live')).status).toBe(200);
        await other.close();
      });
    });

    it('does not start where a name is registered twice', () => {
      expect(() => makeSurface({ commands: [...commands, ...commands], queries })).toThrow('is registered once');
    });
  });
});
