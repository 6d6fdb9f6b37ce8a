import { join } from 'node:path';
import type { Followed } from '../../libs/engine/ledger.js';
import { projections } from '../../libs/projections/catalogue.js';
import { followedAs } from '../../libs/projections/projection.js';
import { openSqliteReadStore, type SqliteReadStore } from '../../libs/read-store/sqlite/store.js';

/* The files of a data directory, as every thread opens them. */

export const eventsFile = (data: string): string => join(data, 'events.db');

export const openReadModels = (data: string): SqliteReadStore => openSqliteReadStore({ path: join(data, 'read') });

export const followed: readonly Followed[] = projections.map(followedAs);
