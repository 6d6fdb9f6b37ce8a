/* The bounds of the surface, and what the environment says of where it stands. Everything that can grow has a bound. */

/** The body of one command. A sheet of commands has no bound but that of its lines. */
export const BODY_BYTES_MAX = 64 * 1024;
/** One line of a sheet, without its line end (contract §1, Bounds). */
export const LINE_BYTES_MAX = 64 * 1024;
/**
 * Lines of one sheet that wait for their answers at the same time. Enough for a write to the disk to cost each next to
 * nothing, and few enough for what they hold to be gone before the collector has moved it (ADR 0010).
 */
export const LINES_UNDER_WAY_MAX = 256;
/** Results that are kept in memory for a client that does not take them; what comes after goes to a file. */
export const SPOOL_MEMORY_BYTES_MAX = 1024 * 1024;
/** Results and events are handed on in pieces of this size. */
export const CHUNK_CHARACTERS = 64 * 1024;
/** The most problems that one refusal lists, and the most characters of a field's name in it. */
export const PROBLEMS_MAX = 50;
export const FIELD_CHARACTERS_MAX = 200;
/** A follower that was not caught up for this long makes the service not ready. */
export const READY_LAG_SECONDS_MAX = 30;
/** How long a stop waits for what is in flight before it cuts the connections. */
export const STOP_WAIT_MS = 10_000;

/** Where the service listens. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

export const HOST_DEFAULT = '127.0.0.1';
export const PORT_DEFAULT = 3000;
export const DATA_DEFAULT = './data';

type Environment = Readonly<Record<string, string | undefined>>;

/** `HOST` and `PORT`, or null where `PORT` is no port. 0 is any that is free. */
export function placeOf(environment: Environment): Place | null {
  const port = environment.PORT === undefined || environment.PORT === '' ? PORT_DEFAULT : portOf(environment.PORT);
  return port === null ? null : { host: environment.HOST || HOST_DEFAULT, port };
}

export function portOf(text: string): number | null {
  return /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : null;
}
