import type { Progress } from '../../libs/engine/following.js';
import type { Followed, RebuildReport } from '../../libs/engine/ledger.js';
import { rebuildPartitioned } from '../../libs/engine/rebuild-partitions.js';
import type { EventStore } from '../../libs/event-store/port.js';
import type { Layout } from '../../libs/messaging/layout.js';
import type { ReadStore } from '../../libs/read-store/port.js';
import { domain, openEvents, toAll } from './parts.js';
import type { Settings } from './settings.js';

/** Builds a read model anew from an event store that is opened for it. */
export async function rebuildIn(
  settings: Settings,
  readStore: ReadStore,
  followed: Followed,
  progress: Progress,
  signal: AbortSignal,
): Promise<RebuildReport> {
  const store = await openEvents(settings, () => {});
  try {
    return await rebuildFrom({ store, readStore, layout: settings.layout }, followed, progress, signal);
  } finally {
    await store.close();
  }
}

interface Places {
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly layout: Layout;
}

export const rebuildFrom = (
  { store, readStore, layout }: Places,
  followed: Followed,
  progress: Progress,
  signal: AbortSignal,
): Promise<RebuildReport> =>
  rebuildPartitioned(
    { store, readStore, domain, partitions: layout, toAll, now: Date.now },
    followed,
    progress,
    signal,
  );
