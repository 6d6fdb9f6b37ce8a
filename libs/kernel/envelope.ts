import type { Instant, LocalDate } from './dates.js';

/** What is said of every event beside its data. Flat, and text only: a server's multi-stream append takes nothing else. */
export interface Meta {
  /** When it counts. */
  readonly valueDate: LocalDate;
  /** The business day that it was entered on. */
  readonly bookingDate: LocalDate;
  /** The clock, never earlier than that of an event that was loaded for the command. */
  readonly recordedAt: Instant;
  readonly actor: string;
  /** The stream that the command is about, a space, and its idempotency key. */
  readonly commandId: string;
  /** SHA-256 of the command's body as sent, canonical, hexadecimal. */
  readonly commandHash: string;
  readonly correlationId: string;
  /** The id of the event that led to this one, or the commandId when a caller's command did. */
  readonly causationId: string;
  /** See `proof/seal.ts`. */
  readonly seal: string;
}

/** A stored event. `position` is text of fixed width whose byte order is the store's global order; not dense. */
export interface Envelope<Type extends string = string, Data = unknown> {
  readonly id: string;
  readonly type: Type;
  readonly version: number;
  readonly stream: string;
  /** From 0, dense within its stream. */
  readonly revision: number;
  readonly position: string;
  readonly data: Data;
  readonly meta: Meta;
}

/** An event on its way to a store: all but the place that the store gives it. */
export type UnplacedEnvelope = Omit<Envelope, 'position'>;

declare const envelopeText: unique symbol;
/**
 * The JSON of an `UnplacedEnvelope`, its members in the order above and all that they hold canonical. Made where an event
 * is sealed and nowhere else, out of the very text that was hashed: a store may keep it and need not make its own.
 */
export type EnvelopeText = string & { readonly [envelopeText]: true };

/** The part of a stream's name before the first hyphen: `loan-L1` is of `loan`, `businessDay` of itself. */
export function categoryOf(stream: string): string {
  const hyphen = stream.indexOf('-');
  return hyphen < 0 ? stream : stream.slice(0, hyphen);
}

/**
 * The trace context (W3C) that goes with an event to whoever handles it next: the caller's trace, with the event as the
 * parent of what follows. null where the caller had no trace.
 */
export function traceparentOf({ id, meta }: Pick<Envelope, 'id' | 'meta'>): string | null {
  if (!/^(?!0{32})[0-9a-f]{32}$/.test(meta.correlationId)) return null;
  return `00-${meta.correlationId}-${id.replaceAll('-', '').slice(0, 16)}-01`;
}
