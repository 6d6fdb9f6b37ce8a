import type { Ledger } from '../../engine/ledger.js';
import { START } from '../../event-store/port.js';
import { textOf } from '../../event-store/text.js';
import { dayOf, type LocalDate } from '../../kernel/dates.js';
import type { Refusal } from '../../kernel/decider.js';
import type { Envelope } from '../../kernel/envelope.js';
import { date, type Fields, integer, optional, pattern } from '../../kernel/fields.js';
import { ok, type Result } from '../../kernel/result.js';
import { type GivenParameters, readParameters } from './query.js';

/** `events` (contract §2): as stored, not upcast. asOf and knownOn have no default here. */
export const EVENTS_PARAMETERS = {
  stream: optional(
    pattern<string>('^[A-Za-z]+(-[A-Za-z0-9_:-]{1,200})?$', 'PARAMETER_INVALID', 'a stream, such as loan-L1'),
  ),
  from: optional(pattern<string>('^\\d{20}$', 'PARAMETER_INVALID', 'a position of an event, exclusive: 20 digits')),
  limit: optional(integer(1, Number.MAX_SAFE_INTEGER)),
  asOf: optional(date()),
  knownOn: optional(date()),
} satisfies Fields;

/** The events that are asked for, as NDJSON in pieces: constant memory, however long the history is. */
export function eventLines(
  ledger: Pick<Ledger, 'store'>,
  given: GivenParameters,
): Result<AsyncIterable<string>, Refusal> {
  const read = readParameters(EVENTS_PARAMETERS, given);
  if (!read.ok) return read;
  const wanted = read.value as unknown as Selection;
  const { stream, from, limit, asOf, knownOn } = wanted;
  if (stream !== null || asOf !== null || knownOn !== null) return ok(textOf(select(ledger, wanted)));
  return ok(ledger.store.readAllText({ after: from ?? START, ...(limit === null ? {} : { limit }) }));
}

interface Selection {
  readonly stream: string | null;
  readonly from: string | null;
  readonly limit: number | null;
  readonly asOf: LocalDate | null;
  readonly knownOn: LocalDate | null;
}

async function* select({ store }: Pick<Ledger, 'store'>, wanted: Selection): AsyncIterable<Envelope> {
  const { stream, from, limit, asOf, knownOn } = wanted;
  const events = stream === null ? store.readAll({ after: from ?? START }) : store.readStream(stream);
  let left = limit ?? Number.POSITIVE_INFINITY;
  for await (const event of events) {
    if (stream !== null && from !== null && event.position <= from) continue;
    if (asOf !== null && event.meta.valueDate > asOf) continue;
    if (knownOn !== null && dayOf(event.meta.recordedAt) > knownOn) continue;
    yield event;
    if (--left <= 0) return;
  }
}
