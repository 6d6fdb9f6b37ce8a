import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'libsql';

/*
 * One writer per data directory. The hold is a lock of the operating system on a file that is never written to: SQLite
 * takes it, and it is gone with the process that had it, however that ended. Beside it stands a note that says who has
 * it; the note alone means nothing.
 */

const LOCK = 'hold.db';
const NOTE = 'holder.json';

/** Who has the hold, and where it can be spoken to. */
export interface Holder {
  readonly pid: number;
  /** `serve`, or the verb that writes. */
  readonly verb: string;
  /** Of the server, once it listens. */
  readonly address: string | null;
  /** What /health/live of that server says: another process may have the address by now. */
  readonly instance: string | null;
}

export interface Hold {
  /** Says where the holder listens. */
  announce(address: string, instance: string): void;
  release(): void;
}

/** Takes the hold on a directory that can be written, or null when another process has it. Does not wait. */
export function takeHold(directory: string, verb: string): Hold | null {
  const lock = new Database(join(directory, LOCK));
  try {
    // No journal beside a file that is never written to.
    lock.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY');
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (isBusy(error)) return null;
    throw error;
  }
  const own: Holder = { pid: process.pid, verb, address: null, instance: null };
  writeNote(directory, own);
  let held = true;
  return {
    announce: (address, instance) => writeNote(directory, { ...own, address, instance }),
    release() {
      if (!held) return;
      held = false;
      rmSync(join(directory, NOTE), { force: true });
      lock.close();
    },
  };
}

/** The note of the last holder, or null. It may be of a process that is gone. */
export function holderOf(directory: string): Holder | null {
  try {
    const note: unknown = JSON.parse(readFileSync(join(directory, NOTE), 'utf8'));
    return isHolder(note) ? note : null;
  } catch {
    return null;
  }
}

/** How a holder is named to who is refused. */
export function holderText(holder: Holder | null): string {
  if (holder === null) return 'another process';
  const { verb, pid, address } = holder;
  return `socai ${verb}${address === null ? '' : ` at ${address}`} (process ${pid})`;
}

function writeNote(directory: string, holder: Holder): void {
  const path = join(directory, NOTE);
  writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(holder)}\n`);
  renameSync(`${path}.${process.pid}`, path);
}

function isHolder(note: unknown): note is Holder {
  return (
    typeof note === 'object' &&
    note !== null &&
    'pid' in note &&
    typeof note.pid === 'number' &&
    'verb' in note &&
    typeof note.verb === 'string' &&
    'address' in note &&
    'instance' in note
  );
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('SQLITE_BUSY');
}
