import { StoreUnavailable } from '../event-store/port.js';
import { ReadStoreUnavailable } from '../read-store/port.js';
import type { FollowerStatus } from './answers.js';
import { FollowerBehind, FollowerHalted, type RebuildReport } from './ledger.js';

/*
 * What a ledger and the thread that follows for it say to one another: few messages, plain data, so that a process or
 * another machine can stand at the other end. What expects an answer has an id.
 */

/** To whoever follows. */
export type ToFollower =
  | { readonly ask: 'start' | 'catchUp' | 'stop'; readonly id: number }
  | { readonly ask: 'passed'; readonly id: number; readonly model: string; readonly position: string }
  | { readonly ask: 'settle'; readonly id: number; readonly process: string }
  | { readonly ask: 'rebuild'; readonly id: number; readonly names: readonly string[] }
  | { readonly tell: 'wake' }
  | { readonly tell: 'retry'; readonly name: string }
  /** Nobody here reads that instance any more. */
  | { readonly tell: 'letGone'; readonly instance: string };

/** From whoever follows. */
export type FromFollower =
  /** After each turn, and now and then while there is nothing to do. Idle: woken by `wake` only. */
  | { readonly is: 'status'; readonly followers: readonly FollowerStatus[]; readonly idle: boolean }
  | { readonly is: 'done'; readonly id: number; readonly value?: readonly RebuildReport[] }
  /** Answer to `passed`: who reads that instance holds it from the moment that this arrives. */
  | { readonly is: 'passed'; readonly id: number; readonly instance: string }
  | { readonly is: 'failed'; readonly id: number; readonly error: PlainError }
  | { readonly is: 'progress'; readonly id: number; readonly events: number; readonly of: number }
  /** An instance is not live any more, and goes when nobody reads it. */
  | { readonly is: 'leaving'; readonly instance: string }
  | { readonly is: 'fault'; readonly error: PlainError };

export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
  readonly stack: string | null;
  /** Of a follower that is behind or halted. */
  readonly model: string | null;
  readonly status: FollowerStatus | null;
}

/** An error as plain data. */
export function plainError(error: unknown): PlainError {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  const behind = error instanceof FollowerBehind || error instanceof FollowerHalted;
  return {
    ...{ name, message, code, stack: stack ?? null },
    model: behind ? error.model : null,
    status: error instanceof FollowerHalted ? error.status : null,
  };
}

/** The error as whoever waits for it knows it by its class. */
export function errorOf({ name, message, code, stack, model, status }: PlainError): Error {
  if (name === 'FollowerBehind') return new FollowerBehind(model ?? '');
  if (name === 'FollowerHalted' && status !== null) return new FollowerHalted(model ?? '', status);
  if (name === 'StoreUnavailable') return new StoreUnavailable(code as StoreUnavailable['code'], message);
  if (name === 'ReadStoreUnavailable') return new ReadStoreUnavailable(code as ReadStoreUnavailable['code'], message);
  const error = Object.assign(new Error(message), { name, ...(code === null ? {} : { code }) });
  if (stack !== null) error.stack = stack;
  return error;
}
