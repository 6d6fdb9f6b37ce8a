import type { Envelope } from '../../kernel/envelope.js';
import { invariant } from '../../kernel/result.js';
import { acceptBatch, acceptReadOptions } from '../accept.js';
import { turn } from '../follow.js';
import { type ReadAllOptions, START, StoreUnavailable, type SubscriptionBatch } from '../port.js';
import { classifyRead } from './classify.js';
import type { ServerPosition, ServerRead } from './client.js';
import { envelopeOf, serverPosition } from './events.js';
import { backOffMs, collect, NotAnswered } from './patience.js';
import { head, PAGE_EVENTS, type Reading } from './read.js';

/** What a subscription needs beside a read. */
export interface Following extends Reading {
  /** Aborted when the store is closed. */
  readonly closing: AbortSignal;
  /** Told whenever a subscription was broken off and is about to begin again. */
  readonly interrupted: (cause: Error) => void;
}

/** How often in a row a server that answers refuses to read at a position before nobody asks it again. */
const REFUSALS = 3;

interface Followed {
  readonly after: string;
  readonly batch: number;
  readonly signal?: AbortSignal;
  /** How long it may go without an event before it gives up. */
  readonly giveUp?: number;
}

/**
 * The global order, live. Whatever breaks a subscription off (an error, an end, being too slow, silence while the head
 * moves), it begins again behind the last event that the reader has taken, and tells the reader nothing of it. What the
 * reader has not asked for stays with the server, but for one buffer. A position that the server never gave is an
 * `InvariantBroken`: the server itself only fails, as it does when it is restarted.
 */
export async function* follow(following: Following, options: Followed): AsyncGenerator<SubscriptionBatch> {
  const { after, batch, signal, giveUp = Number.POSITIVE_INFINITY } = options;
  acceptBatch(batch);
  const over = () => signal?.aborted === true || following.closing.aborted;
  const place: Place = { position: after, resume: serverPosition(after), saidCaughtUp: false };
  let since = performance.now();
  let refusals = 0;
  for (let attempt = 0; !over(); attempt++) {
    const connection = connect(following, place, batch);
    try {
      for await (const found of batchesOf(following, connection, place, batch, over, signal)) {
        yield found;
        [attempt, since] = [0, performance.now()];
      }
    } finally {
      connection.leave();
    }
    if (over()) return;
    const cause = connection.failure() ?? new Error('the subscription ended');
    const { verdict, fault, text } = classifyRead(cause);
    if (verdict === 'refused' || performance.now() - since > giveUp) {
      throw new StoreUnavailable(fault, `${following.address}: following all events: ${text}`, { cause });
    }
    refusals = !connection.confirmed() && (await refuses(following, place)) ? refusals + 1 : 0;
    const { position } = place;
    invariant(
      refusals < REFUSALS,
      `${following.address}: ${JSON.stringify(position)} is no position of this store: ${text}`,
    );
    following.interrupted(cause);
    await pause(backOffMs(attempt), signal, following.closing);
  }
}

/** The global order forwards, up to the head of the moment: by subscription, as only that is filtered by the server. */
export async function* readAllForwards(
  following: Following,
  options: Omit<ReadAllOptions, 'direction'>,
): AsyncGenerator<Envelope, void, undefined> {
  acceptReadOptions(options);
  following.assertOpen();
  const { after = START, limit = Number.POSITIVE_INFINITY } = options;
  const end = (await head(following))?.position ?? START;
  if (after >= end) return;
  let left = limit;
  const batch = Math.min(limit, PAGE_EVENTS);
  for await (const { events } of follow(following, { after, batch, giveUp: following.patience.reads })) {
    for (const event of events) {
      following.assertOpen();
      // What was appended since is behind the head that was found, and a foreign stream's event may have been that head.
      if (event.position > end) return;
      yield event;
      if (--left === 0 || event.position === end) return;
    }
  }
  // It ended with the store: quietly it would look like the end of the history.
  following.assertOpen();
}

/** How far the reader has come. Owned by the loop that yields to it. */
interface Place {
  position: string;
  /** Where a new subscription begins: the last event that was taken, or a later checkpoint of the server's. */
  resume: ServerPosition | undefined;
  saidCaughtUp: boolean;
}

/** What one subscription gives, until it is broken off. */
async function* batchesOf(
  following: Following,
  connection: Connection,
  place: Place,
  batch: number,
  over: () => boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<SubscriptionBatch> {
  let suspect: string | undefined;
  while (!over()) {
    const events = await gathered(connection, batch);
    if (over()) return;
    const last = events.at(-1);
    const caughtUp = connection.live() && events.length < batch;
    if (last !== undefined || (caughtUp && !place.saidCaughtUp)) {
      suspect = undefined;
      place.saidCaughtUp = caughtUp;
      yield { events, caughtUp };
      if (last !== undefined) [place.position, place.resume] = [last.position, serverPosition(last.position)];
      continue;
    }
    // Everything that came before the checkpoint has been taken: it may be resumed from.
    place.resume = connection.checkpoint() ?? place.resume;
    if (connection.over()) return;
    if (await connection.heard(signal, following.patience.silence)) continue;
    if (over() || !connection.live()) return;
    // A head that stood ahead of the reader a whole silence ago, and still does: nothing is coming any more.
    if (suspect !== undefined && place.position < suspect) return;
    suspect = await headOrNothing(following);
    if (suspect === undefined) return;
  }
}

/** A batch as large as what arrives without a pause: the library hands on one event a turn of the loop. */
async function gathered(connection: Connection, batch: number): Promise<Envelope[]> {
  const events = connection.take(batch);
  for (let more = events.length; more > 0 && events.length < batch; ) {
    await turn();
    const next = connection.take(batch - events.length);
    events.push(...next);
    more = next.length;
  }
  return events;
}

/** Undefined when the server does not tell: the subscription begins again then as well. */
async function headOrNothing(following: Following): Promise<string | undefined> {
  try {
    return (await head(following))?.position ?? START;
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined;
    throw error;
  }
}

/** Whether a server that answers otherwise does not read at the last event that was taken. */
async function refuses({ client, patience, address }: Following, place: Place): Promise<boolean> {
  const at = serverPosition(place.position);
  if (at === undefined) return false;
  // A checkpoint's may be the one that is refused: the event's is sure.
  place.resume = at;
  const answer = (read: ServerRead) =>
    collect(patience.read, `${address}: looking at a position`, read).then(
      () => 'answers',
      (error: unknown) => (error instanceof NotAnswered ? 'silent' : 'refuses'),
    );
  const there = await answer(client.readAllAt(at));
  return there === 'refuses' && (await answer(client.readAllBackwards({ before: undefined, count: 1 }))) === 'answers';
}

interface Connection {
  /** At most `batch` events that have arrived. */
  take(batch: number): Envelope[];
  /** Whether the server has taken it up. */
  confirmed(): boolean;
  /** Whether the server has said that everything of the past was sent. */
  live(): boolean;
  /** Broken off, by whatever signal. */
  over(): boolean;
  failure(): Error | undefined;
  /** The last place that the server said it has looked at, and all before it was handed on. */
  checkpoint(): ServerPosition | undefined;
  /** Waits for a signal; false after so many milliseconds of silence. */
  heard(signal: AbortSignal | undefined, silence: number): Promise<boolean>;
  leave(): void;
}

function connect({ client, own, closing }: Following, { resume }: Place, batch: number): Connection {
  let [confirmed, live, over] = [false, false, false];
  let failure: Error | undefined;
  let checkpoint: ServerPosition | undefined;
  let signals = 0;
  let wake: () => void = () => undefined;
  const signalled = () => {
    signals++;
    wake();
  };
  const ends = (cause: unknown) => {
    over = true;
    if (cause instanceof Error) failure ??= cause;
    signalled();
  };
  const subscription = client.subscribeToAll(
    { after: resume, buffered: Math.min(batch, PAGE_EVENTS), filter: own },
    (position) => {
      checkpoint = position;
      signalled();
    },
  );
  subscription.on('readable', signalled);
  subscription.on('confirmation', () => {
    confirmed = true;
    signalled();
  });
  subscription.on('caughtUp', () => {
    live = true;
    signalled();
  });
  subscription.on('fellBehind', () => {
    live = false;
    signalled();
  });
  // After some errors neither `end` nor `close` follows, and a stop of the server may give no error.
  for (const signal of ['error', 'end', 'close']) subscription.on(signal, ends);
  let seen = 0;
  return {
    take(most) {
      seen = signals;
      const events: Envelope[] = [];
      while (events.length < most) {
        const found = subscription.read();
        if (found === null) break;
        const event = envelopeOf(found, own);
        if (event !== undefined) events.push(event);
      }
      return events;
    },
    confirmed: () => confirmed,
    live: () => live,
    over: () => over,
    failure: () => failure,
    checkpoint: () => checkpoint,
    async heard(signal, silence) {
      if (signals === seen) await sleep(silence, [signal, closing], (now) => (wake = now));
      wake = () => undefined;
      return signals !== seen;
    },
    leave() {
      // What never came to be cannot be left either: nobody waits for it.
      subscription.unsubscribe().catch(() => undefined);
      subscription.destroy();
    },
  };
}

const pause = (ms: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<void> =>
  sleep(ms, signals, () => undefined);

/** Until so many milliseconds are over, a signal aborts, or what was handed to `arm` is called. Leaves nothing behind. */
function sleep(
  ms: number,
  signals: readonly (AbortSignal | undefined)[],
  arm: (wake: () => void) => void,
): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    for (const signal of signals) signal?.addEventListener('abort', wake, { once: true });
    arm(wake);
    if (signals.some((signal) => signal?.aborted === true)) wake();
  });
}
