import { type ImportReport, importHistory } from '../../libs/engine/import-history.js';
import type { Host } from '../../libs/surface/cli/host.js';
import { refused } from '../../libs/surface/formats/problem.js';
import { openEvents } from '../distributed/parts.js';
import { settingsOf } from '../distributed/settings.js';

/** Moves events into the event store of the distributed profile, with the settings that its processes have. */
export async function importInto(
  environment: Readonly<Record<string, string | undefined>>,
  request: Parameters<Host['importHistory']>[0],
): Promise<ImportReport> {
  const settings = settingsOf(environment);
  if (settings.eventStoreDb === '') {
    throw refused('STORE_UNREACHABLE', '', { detail: 'EVENTSTOREDB_URL does not say where it is' });
  }
  const target = await openEvents(settings, () => {});
  try {
    return await importHistory({ ...request, target });
  } finally {
    await target.close();
  }
}
