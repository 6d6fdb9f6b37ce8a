import { FollowingCheckpoints } from '../../libs/engine/follow-checkpoints.js';
import { openLedger } from '../../libs/engine/open-ledger.js';
import { overlayEventStore } from '../../libs/event-store/memory/overlay.js';
import { commands } from '../../libs/lending/catalogue.js';
import { queries } from '../../libs/projections/catalogue.js';
import { overlayReadStore } from '../../libs/read-store/memory/overlay.js';
import { serve } from '../../libs/surface/http/server.js';
import { clock, domain, followed, openEvents, openReadModels, toAll } from '../distributed/parts.js';
import { rebuildFrom } from '../distributed/rebuild.js';
import { Opened, type Start } from '../distributed/service.js';

/** Queries and the page: it follows nothing, and waits for what projectors have written. */
export const startQueryApi: Start = async (settings, logger) => {
  const onFault = (error: unknown) => logger.warn({ err: error }, 'a fault, retried');
  const { layout, place } = settings;
  const opened = new Opened();
  const stopping = new AbortController();
  try {
    const store = await opened.add(openEvents(settings, onFault));
    const readStore = await opened.add(openReadModels(settings));
    const following = new FollowingCheckpoints({
      ...{ store, readStore, followed, partitions: layout, toAll, now: Date.now, onFault },
      rebuild: (one, progress) => rebuildFrom({ store, readStore, layout }, one, progress, stopping.signal),
    });
    const ledger = await opened.add(
      openLedger({
        ...{ store, readStore, domain, followed, clock, following, onFault, partitions: layout, shared: {} },
        ...{ simulated: false, writable: false, follow: false },
        overlay: { store: overlayEventStore, readStore: overlayReadStore },
      }),
    );
    const served = await serve({ ledger, commands, queries, place, logger, side: 'queries' });
    opened.addCloser(() => served.stop());
    return {
      address: served.address,
      async stop() {
        stopping.abort();
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
};
