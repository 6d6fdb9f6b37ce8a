/** What a decision or a parse ends in: a value, or a reason that is itself a value. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

export const ok = <T>(value: T): { readonly ok: true; readonly value: T } => ({ ok: true, value });
export const err = <E>(error: E): { readonly ok: false; readonly error: E } => ({ ok: false, error });

/** A broken invariant: stops the work, is never caught to go on. */
export class InvariantBroken extends Error {
  override readonly name = 'InvariantBroken';
}

/**
 * Stops the work where `what` does not hold: an assertion, never a check of what a caller sends. Each command passes
 * some of them a dozen times: those throw by themselves, as a text with figures in it is made before it is needed.
 */
export function invariant(condition: unknown, what: string): asserts condition {
  if (!condition) throw new InvariantBroken(what);
}

/** The end of a switch that names every case: the compiler finds the one that was forgotten. */
export function unreachable(value: never): never {
  throw new InvariantBroken(`no case for ${JSON.stringify(value)}`);
}
