import { canonicalJson } from '../kernel/canonical-json.js';
import { type Instant, type LocalDate, parseInstant } from '../kernel/dates.js';
import type { CommandEntry, Domain, Refusal } from '../kernel/decider.js';
import { date, integer, type Kind, normalCanonicalOf, type Problem, readFields, reference } from '../kernel/fields.js';
import { err, ok, type Result } from '../kernel/result.js';
import { sha256 } from '../proof/seal.js';
import type { CommandRequest, RequestContext } from './answers.js';

/** The most characters of an idempotency key (contract §1). */
export const KEY_CHARACTERS_MAX = 200;
export const ACTOR_DEFAULT = 'anonymous';

/** A request that can be looked up by its key; whether its body is acceptable is said by `refusal`. */
export interface Prepared {
  readonly entry: CommandEntry;
  /** The stream that it is about. */
  readonly about: string;
  readonly key: string;
  /** Of command, value date and data as sent, canonical, an amount the same as number or text. */
  readonly hash: string;
  readonly data: unknown;
  /** null where the command is not dated and none was sent. */
  readonly valueDate: LocalDate | null;
  readonly actor: string;
  readonly ifMatch: number | null;
  readonly recordedAt: Instant | null;
  readonly correlationId: string | null;
  readonly abandoned: (() => boolean) | null;
  /** Said only after the key was looked up: a known key with another body is refused as such. */
  readonly refusal: Refusal | null;
}

const MEMBERS: readonly string[] = ['command', 'id', 'actor', 'valueDate', 'data', 'ifMatch', 'recordedAt'];
const key = reference(KEY_CHARACTERS_MAX);
const actor = reference(64);
const valueDate = date();
const revision = integer(-1, Number.MAX_SAFE_INTEGER);

/** Reads a request by the catalogue. Refused at once only where there is no key or no stream to look it up in. */
export function prepare(
  domain: Domain,
  request: CommandRequest,
  context: RequestContext = {},
): Result<Prepared, Refusal> {
  const entry = typeof request.command === 'string' ? domain.commands.get(request.command) : undefined;
  if (entry === undefined || !entry.public) return unknownCommand(domain, request.command);
  if (request.id === undefined || request.id === null || request.id === '')
    return problem('id', 'KEY_MISSING', KEY_ACCEPTED);
  if (!fits(key, request.id) || request.id.startsWith('~')) return problem('id', 'KEY_INVALID', KEY_ACCEPTED);

  const problems = unknownMembers(request);
  const data = readFields(entry.fields, request.data ?? {});
  if (!data.ok) problems.push(...data.error);
  const day = readDay(entry, request.valueDate, problems);
  const by = readActor(request.actor, problems);
  const ifMatch = readRevision(request.ifMatch, problems);
  const recordedAt = readInstant(request.recordedAt, problems);

  const about = data.ok ? entry.about(data.value) : aboutOf(entry, request.data);
  if (about === null) return err(refusalOf(problems));
  return ok({
    entry,
    about,
    key: request.id,
    data: data.ok ? data.value : null,
    valueDate: day,
    actor: by,
    ifMatch,
    recordedAt,
    correlationId: context.correlationId ?? null,
    abandoned: context.abandoned ?? null,
    hash: hashOf(entry, request),
    refusal: problems.length === 0 ? null : refusalOf(problems),
  });
}

const KEY_ACCEPTED = `1 to ${KEY_CHARACTERS_MAX} visible characters, not beginning with ~`;

/** The tables of the catalogue, each with what it makes of a body. */
const canonicalBodies = new WeakMap<CommandEntry['fields'], (data: unknown) => string>();

function canonicalBody({ fields }: CommandEntry, data: unknown): string {
  let canonical = canonicalBodies.get(fields);
  if (canonical === undefined) {
    canonical = normalCanonicalOf(fields);
    canonicalBodies.set(fields, canonical);
  }
  return canonical(data);
}

/** The canonical JSON of command, data and value date, its three members in order. */
function hashOf(entry: CommandEntry, { data, valueDate }: CommandRequest): string {
  try {
    const day = valueDate === undefined ? '' : `,"valueDate":${canonicalJson(valueDate)}`;
    return sha256(`{"command":${canonicalJson(entry.name)},"data":${canonicalBody(entry, data ?? {})}${day}}`);
  } catch {
    // Text that has no canonical form was never accepted: no hash is equal to this.
    return '';
  }
}

/** The stream of a body that is not acceptable, if the fields that name it are. */
function aboutOf(entry: CommandEntry, body: unknown): string | null {
  if (typeof body !== 'object' || body === null) return null;
  const members = body as Readonly<Record<string, unknown>>;
  const acceptable = new Proxy(members, {
    get(_, name) {
      const kind = typeof name === 'string' && Object.hasOwn(entry.fields, name) ? entry.fields[name] : undefined;
      if (kind === undefined || typeof name !== 'string') throw new NotNamed();
      const value = Object.hasOwn(members, name) ? members[name] : undefined;
      if (!fits(kind, value)) throw new NotNamed();
      return value;
    },
  });
  try {
    return entry.about(acceptable);
  } catch (error) {
    if (error instanceof NotNamed) return null;
    throw error;
  }
}

class NotNamed extends Error {}

function unknownCommand(domain: Domain, command: unknown): Result<never, Refusal> {
  const names = [...domain.commands.values()].filter((entry) => entry.public).map(({ name }) => name);
  const accepted = `one of ${names.join(', ')}`;
  return err({
    code: 'COMMAND_UNKNOWN',
    errors: [{ field: 'command', code: 'COMMAND_UNKNOWN', accepted }],
    params: { command: typeof command === 'string' ? command.slice(0, 100) : '' },
  });
}

function unknownMembers(request: CommandRequest): Problem[] {
  const problems: Problem[] = [];
  for (const field of Object.keys(request)) {
    if (MEMBERS.includes(field)) continue;
    problems.push({ field, code: 'FIELD_UNKNOWN', accepted: `only ${MEMBERS.join(', ')}` });
  }
  return problems;
}

function readDay(entry: CommandEntry, value: unknown, problems: Problem[]): LocalDate | null {
  if (value === undefined || value === null) {
    if (entry.dated) problems.push({ field: 'valueDate', code: 'FIELD_MISSING', accepted: valueDate.accepted });
    return null;
  }
  return valueDate.read(value, 'valueDate', problems);
}

function readActor(value: unknown, problems: Problem[]): string {
  if (value === undefined || value === null) return ACTOR_DEFAULT;
  if (!fits(actor, value)) problems.push({ field: 'actor', code: 'ACTOR_INVALID', accepted: actor.accepted });
  return String(value);
}

function readRevision(value: unknown, problems: Problem[]): number | null {
  if (value === undefined || value === null) return null;
  const bare =
    typeof value === 'string' && /^"?(-1|\d{1,15})"?$/.test(value) ? Number(value.replaceAll('"', '')) : value;
  if (fits(revision, bare)) return bare;
  problems.push({
    field: 'ifMatch',
    code: 'IF_MATCH_INVALID',
    accepted: 'a revision, or -1 for a stream that must not exist',
  });
  return null;
}

function readInstant(value: unknown, problems: Problem[]): Instant | null {
  if (value === undefined || value === null) return null;
  const at = typeof value === 'string' ? parseInstant(value) : null;
  if (at === null)
    problems.push({
      field: 'recordedAt',
      code: 'INSTANT_INVALID',
      accepted: 'RFC 3339, such as 2021-07-15T09:30:00+07:00',
    });
  return at;
}

function fits<T>(kind: Kind<T>, value: unknown): value is T {
  const problems: Problem[] = [];
  kind.read(value, '', problems);
  return problems.length === 0;
}

function refusalOf(problems: readonly Problem[]): Refusal {
  return { code: problems[0]?.code ?? 'OBJECT_INVALID', errors: problems, params: {} };
}

const problem = (field: string, code: string, accepted: string): Result<never, Refusal> =>
  err({ code, errors: [{ field, code, accepted }], params: {} });
