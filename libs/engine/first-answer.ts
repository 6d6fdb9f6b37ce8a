import type { EventStore } from '../event-store/port.js';
import type { Envelope } from '../kernel/envelope.js';
import { accepted, type Done, type Request, refusal } from './steps.js';
import type { WarmStream, WarmStreams } from './streams.js';

interface Tools {
  readonly store: EventStore;
  readonly streams: WarmStreams;
}

/**
 * The first answer again: the events that the key wrote on this stream, and a token that covers all of them. null for a
 * key that is new.
 */
export async function firstAnswer(
  { store, streams }: Tools,
  about: WarmStream,
  request: Request,
): Promise<Done | null> {
  const commandId = `${about.stream} ${request.key}`;
  for (const revision of streams.revisionsOf(about, request.key)) {
    await about.durable;
    const written: Envelope[] = [];
    for await (const event of store.readStream(about.stream, { from: revision })) {
      if (event.meta.commandId !== commandId) break;
      written.push(event);
    }
    const [first] = written;
    if (first === undefined) continue;
    if (first.meta.commandHash !== request.hash) {
      const accepted = 'the same command, value date and data as the first time, or another key';
      const reused = refusal('KEY_REUSED', 'id', accepted, { key: request.key });
      return { answer: { accepted: false, refusal: reused }, written: [] };
    }
    const token = (await store.head())?.position ?? '';
    return { answer: { ...accepted(about.stream, written, []), duplicate: true, token }, written };
  }
  return null;
}
