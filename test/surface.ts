import { pino } from 'pino';
import type { Followed, Ledger } from '../libs/engine/ledger.js';
import { commands } from '../libs/lending/catalogue.js';
import { projections, queries } from '../libs/projections/catalogue.js';
import { followedAs } from '../libs/projections/projection.js';
import type { Served } from '../libs/surface/http/listening.js';
import { serve } from '../libs/surface/http/server.js';
import { memoryLedger } from './harness.js';

/** The read models of the catalogue, as the engine follows them. */
export const followed: readonly Followed[] = projections.map(followedAs);

/** A problem, of a request or of a line. */
export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { readonly field: string; readonly code: string; readonly accepted: string }[];
}

export interface Result extends Partial<Problem> {
  readonly line: number;
  readonly status: number;
  readonly duplicate?: boolean;
  readonly token?: string;
  readonly events?: readonly { readonly type: string; readonly stream: string; readonly revision: number }[];
}

/** The HTTP surface on a real port over a ledger in memory. */
export interface Surface {
  readonly url: string;
  readonly ledger: Ledger;
  readonly served: Served;
  post(name: string, body: unknown, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /** Commands as one sheet; `id` is made where there is none. */
  sheet(lines: readonly object[], search?: string): Promise<readonly Result[]>;
  get(path: string, headers?: Readonly<Record<string, string>>): Promise<Response>;
  close(): Promise<void>;
}

let keys = 0;

export async function surface(
  options: Parameters<typeof memoryLedger>[0] & {
    /** In place of the ledger's own calls: for what no request can bring about. */
    readonly instead?: Partial<Ledger>;
  } = {},
): Promise<Surface> {
  const { ledger: made, store, readStore } = await memoryLedger({ follow: true, followed, ...options });
  const ledger = options.instead === undefined ? made : overriding(made, options.instead);
  const logger = pino({ level: 'silent' });
  const place = { host: '127.0.0.1', port: 0 };
  const served = await serve({ ledger, commands, queries, place, logger });
  const url = served.address;
  return {
    ...{ url, ledger, served },
    post: (name, body, headers = {}) =>
      fetch(`${url}/v1/commands/${name}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'idempotency-key': `k-${++keys}`, ...headers },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    sheet: async (lines, search = '') => {
      const answer = await fetch(`${url}/v1/commands${search}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: lines.map((line) => `${JSON.stringify({ id: `k-${++keys}`, ...line })}\n`).join(''),
      });
      return (await answer.text())
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Result);
    },
    get: (path, headers = {}) => fetch(`${url}${path}`, { headers }),
    close: async () => {
      await served.stop();
      await made.close();
      await readStore.close();
      await store.close();
    },
  };
}

/** The ledger with some of its calls replaced. Its own stay bound to it. */
function overriding(ledger: Ledger, instead: Partial<Ledger>): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      const value: unknown = Reflect.get(Object.hasOwn(instead, name) ? instead : target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
