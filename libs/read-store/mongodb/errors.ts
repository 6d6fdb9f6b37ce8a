import { MongoError } from 'mongodb';
import { type ReadStoreFault, ReadStoreUnavailable } from '../port.js';

/** The server's codes (mongodb/mongo: error_codes.yml) that say that it cannot do its work now. */
const FAULTS: ReadonlyMap<number, readonly [ReadStoreFault, string]> = new Map([
  // So FerretDB says that the database under it is away. It tells nothing of what was asked for.
  [1, ['UNREACHABLE', 'has a fault inside']],
  [13, ['UNAUTHORIZED', 'does not let this user do that']],
  [18, ['UNAUTHORIZED', 'refuses the credentials']],
  [8000, ['UNAUTHORIZED', 'refuses the credentials']],
  [14031, ['DISK_FULL', 'has no room to grow']],
] as const);

/** Elections, shutdowns, time limits: which of them it was says nothing of whether the write was made. */
const UNREACHABLE = new Set([6, 7, 50, 64, 89, 91, 189, 202, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436]);
const UNREACHABLE_NAMES =
  /^Mongo(Network|ServerSelection|PoolCleared|NotConnected|TopologyClosed|OperationTimeout|WaitQueueTimeout|WriteConcern)/;

/** An error of the driver under its stable name; any other as it is. */
export function named(error: unknown, place: string): unknown {
  if (!(error instanceof MongoError)) return error;
  const code = typeof error.code === 'number' ? error.code : -1;
  const fault = FAULTS.get(code);
  const told = (it: ReadStoreFault, what: string) =>
    new ReadStoreUnavailable(it, `${place} ${what} (${error.message})`, { cause: error });
  if (fault !== undefined) return told(fault[0], fault[1]);
  // The handshake hides a refusal in the selection of a server.
  if (/auth/i.test(error.message) && error.name === 'MongoServerSelectionError') {
    return told('UNAUTHORIZED', 'refuses the credentials');
  }
  if (UNREACHABLE.has(code) || UNREACHABLE_NAMES.test(error.name)) return told('UNREACHABLE', 'cannot be reached');
  return error;
}

export const closed = (place: string): ReadStoreUnavailable =>
  new ReadStoreUnavailable('STORE_CLOSED', `the read store ${place} is closed`);
