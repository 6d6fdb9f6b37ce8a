import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

/*
 * Reads the AsyncAPI document as an outsider would, who has that file, those that it refers to, and nothing else of
 * the ledger: which messages a topic may hold, and whether a record is one of them.
 */

type Json = Readonly<Record<string, unknown>>;

/** A record as a client of Kafka gives it, its bytes as text. */
export interface PublishedRecord {
  readonly topic: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: string;
}

export interface Contract {
  readonly document: Json;
  /** The message that the record is, or everything that is wrong with it. */
  read(record: PublishedRecord): { readonly message: string } | { readonly problems: readonly string[] };
}

interface MessageChecks {
  readonly name: string;
  readonly key: ValidateFunction;
  readonly headers: ValidateFunction;
  readonly payload: ValidateFunction;
}

/** The document at `path`, for the ledger of that name. */
export function readContract(path: string, ledger: string): Contract {
  const document = parsed(path);
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  addFormats.default(ajv);
  const whole = resolved(document, document, dirname(path)) as {
    readonly channels: Readonly<Record<string, { readonly address: string; readonly messages: Json }>>;
  };
  const channels = new Map(
    Object.values(whole.channels).map(({ address, messages }) => [
      address.replace('{ledger}', ledger),
      Object.entries(messages).map(([name, message]) => checksOf(ajv, name, message as Json)),
    ]),
  );
  return {
    document,
    read({ topic, key, headers, value }) {
      const messages = channels.get(topic);
      if (messages === undefined) return { problems: [`no channel has the address ${topic}`] };
      const [one, ...others] = messages.filter((message) => message.headers(headers));
      if (one === undefined || others.length > 0) {
        const why = messages.find(({ name }) => headers.ce_dataschema?.includes(name.split('.')[0] ?? ''));
        return {
          problems: [
            `the headers are those of ${others.length} messages`,
            ...problemsOf('headers', why?.headers, headers),
          ],
        };
      }
      const problems = [...problemsOf('key', one.key, key), ...problemsOf('payload', one.payload, JSON.parse(value))];
      return problems.length === 0 ? { message: one.name } : { problems };
    },
  };
}

function checksOf(ajv: Ajv2020, name: string, { headers, payload, bindings }: Json): MessageChecks {
  const { kafka } = bindings as { readonly kafka: { readonly key: Json } };
  const check = (schema: unknown) => ajv.compile(schema as Json);
  return { name, key: check(kafka.key), headers: check(headers), payload: check(payload) };
}

function problemsOf(what: string, check: ValidateFunction | undefined, value: unknown): string[] {
  if (check === undefined || check(value)) return [];
  return (check.errors ?? []).map(({ instancePath, message }) => `${what}${instancePath}: ${message}`);
}

const parsed = (path: string): Json => JSON.parse(readFileSync(path, 'utf8')) as Json;

/** With what is referred to in the place of each reference; the ids of schemas go, as each would stand more than once. */
function resolved(node: unknown, document: Json, folder: string): unknown {
  if (Array.isArray(node)) return node.map((item) => resolved(item, document, folder));
  if (typeof node !== 'object' || node === null) return node;
  const { $ref, $id: _, $schema: __, ...rest } = node as Json;
  if (typeof $ref !== 'string') {
    return Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, resolved(value, document, folder)]));
  }
  const target = $ref.startsWith('#/') ? at(document, $ref) : parsed(join(folder, $ref));
  return resolved(target, document, folder);
}

function at(document: Json, pointer: string): unknown {
  let node: unknown = document;
  for (const step of pointer.slice('#/'.length).split('/')) node = (node as Json | undefined)?.[step];
  if (node === undefined) throw new Error(`${pointer} leads nowhere`);
  return node;
}
