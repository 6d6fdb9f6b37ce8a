import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Followed } from '../../libs/engine/ledger.js';
import type { SnapshotStore } from '../../libs/event-store/port.js';
import { openSqliteSnapshots } from '../../libs/event-store/sqlite/snapshots.js';
import { projections } from '../../libs/projections/catalogue.js';
import { followedAs } from '../../libs/projections/projection.js';
import { openSqliteReadStore, type SqliteReadStore } from '../../libs/read-store/sqlite/store.js';

/* The files of a data directory, as every thread opens them. */

export const eventsFile = (data: string): string => join(data, 'events.db');

export const openReadModels = (data: string): SqliteReadStore => openSqliteReadStore({ path: join(data, 'read') });

export const followed: readonly Followed[] = projections.map(followedAs);

export const openSnapshots = (data: string, onFault: (error: unknown) => void): SnapshotStore =>
  openSqliteSnapshots({ path: join(data, 'snapshots.db'), maker: foldingCode(), onFault });

/** What decides how streams fold: a snapshot that other code made is not used, whoever forgot to say that it differs. */
const FOLDING = ['kernel', 'lending', 'engine'];

/** A hash of the program's own files that fold streams. */
function foldingCode(): string {
  const hash = createHash('sha256').update(process.versions.v8);
  for (const room of FOLDING) {
    const directory = fileURLToPath(new URL(`../../libs/${room}`, import.meta.url));
    const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((it) => it.isFile());
    for (const path of files.map(({ parentPath, name }) => join(parentPath, name)).sort()) {
      if (room !== 'engine' || /[\\/]streams\.[jt]s$/.test(path)) hash.update(readFileSync(path));
    }
  }
  return hash.digest('hex');
}
