import type { Refusal, Warning } from '../kernel/decider.js';

/** Where an event of a command stands. */
export interface EventReference {
  readonly type: string;
  readonly stream: string;
  readonly revision: number;
  readonly position: string;
}

export interface Accepted {
  readonly accepted: true;
  /** The key was known: this is the first answer again. */
  readonly duplicate: boolean;
  /** Those on the stream that the command is about. */
  readonly events: readonly EventReference[];
  /** Covers all that the command wrote: a query that carries it sees all of it. */
  readonly token: string;
  readonly warnings: readonly Warning[];
}

export interface Refused {
  readonly accepted: false;
  readonly refusal: Refusal;
}

export type Answer = Accepted | Refused;

/** A command as a caller sends it, before anything is checked: a line of a sheet, or a body with its headers. */
export interface CommandRequest {
  readonly command?: unknown;
  readonly id?: unknown;
  readonly actor?: unknown;
  readonly valueDate?: unknown;
  readonly data?: unknown;
  readonly ifMatch?: unknown;
  /** Only a simulated ledger takes one. */
  readonly recordedAt?: unknown;
}

/** What the transport knows of a request. */
export interface RequestContext {
  /** Of the caller's trace; default: the commandId. */
  readonly correlationId?: string;
  /** Asked when what the command needs is locked and loaded: what it came after was not carried out, so it is not either. */
  readonly abandoned?: () => boolean;
}

/** How far one follower has come. */
export interface FollowerStatus {
  readonly name: string;
  readonly instance: string;
  readonly kind: 'projection' | 'process' | 'rebuild';
  readonly state: 'running' | 'halted';
  /** Dense count of the events that it has taken, and the position of the last one. */
  readonly sequence: number;
  readonly position: string;
  readonly caughtUp: boolean;
  /** Since it was last caught up; 0 while it is. */
  readonly lagSeconds: number;
  /** When it last did anything, RFC 3339. */
  readonly heartbeat: string;
  /** What stopped it: the event that it could not take. */
  readonly halted: {
    readonly type: string;
    readonly stream: string;
    readonly position: string;
    readonly error: string;
  } | null;
  /** Why nothing is taken at the moment by whoever follows, which starts again by itself; null while it runs. */
  readonly fault: string | null;
}
