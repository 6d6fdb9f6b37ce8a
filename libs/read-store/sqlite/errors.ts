import Database from 'libsql';
import { InvariantBroken } from '../../kernel/result.js';
import { type ReadStoreFault, ReadStoreUnavailable } from '../port.js';

/** SQLite's primary result codes (sqlite.org/rescode.html): the low byte of what it reports. */
const FAULTS: ReadonlyMap<number, readonly [ReadStoreFault, string]> = new Map([
  [5, ['DATA_HELD', 'is written by another process']],
  [6, ['DATA_HELD', 'is locked']],
  [8, ['DATA_READ_ONLY', 'cannot be written']],
  [10, ['DATA_DAMAGED', 'cannot be read or written by the disk']],
  [11, ['DATA_DAMAGED', 'is damaged']],
  [13, ['DISK_FULL', 'has no room to grow']],
  [14, ['DATA_READ_ONLY', 'cannot be opened for writing']],
  [26, ['DATA_DAMAGED', 'is damaged: it is no longer a database']],
] as const);
const PRIMARY = 0xff;
const CONSTRAINT_DATATYPE = 3091;

/** An error of the driver under its stable name; any other as it is. */
export function named(error: unknown, path: string): unknown {
  if (!(error instanceof Database.SqliteError)) return error;
  const { rawCode = 0 } = error;
  // Types were checked before they were bound, so only a sum that left 64 bits, and became a real number, is of a wrong
  // one; SUM says it in words.
  if (rawCode === CONSTRAINT_DATATYPE || error.message === 'integer overflow') {
    return new InvariantBroken(`a sum passes 64 bits: ${error.message}`);
  }
  const fault = FAULTS.get(rawCode & PRIMARY);
  if (fault === undefined) return error;
  return new ReadStoreUnavailable(fault[0], `${path} ${fault[1]} (${error.message})`, { cause: error });
}

export const closed = (path: string): ReadStoreUnavailable =>
  new ReadStoreUnavailable('STORE_CLOSED', `the read store ${path} is closed`);
