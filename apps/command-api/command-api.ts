import { openLedger } from '../../libs/engine/open-ledger.js';
import { overlayEventStore } from '../../libs/event-store/memory/overlay.js';
import { commands } from '../../libs/lending/catalogue.js';
import { queries } from '../../libs/projections/catalogue.js';
import { overlayReadStore } from '../../libs/read-store/memory/overlay.js';
import { serve } from '../../libs/surface/http/server.js';
import { clock, domain, openEvents, openReadModels } from '../distributed/parts.js';
import { Opened, type Start } from '../distributed/service.js';

/** Commands: any number beside one another. Processes are followed here, their state is shared by all. */
export const startCommandApi: Start = async (settings, logger) => {
  const onFault = (error: unknown) => logger.warn({ err: error }, 'a fault, retried');
  const { simulated, place, layout, dayLeaseMs: leaseMs } = settings;
  const opened = new Opened();
  try {
    const store = await opened.add(openEvents(settings, onFault));
    const readStore = await opened.add(openReadModels(settings));
    const ledger = await opened.add(
      openLedger({
        ...{ store, readStore, domain, clock, onFault, simulated, partitions: layout, shared: { leaseMs } },
        ...{ followed: [], writable: true, follow: true },
        overlay: { store: overlayEventStore, readStore: overlayReadStore },
      }),
    );
    const served = await serve({ ledger, commands, queries, place, logger, side: 'commands' });
    opened.addCloser(() => served.stop());
    return { address: served.address, stop: () => opened.close() };
  } catch (error) {
    await opened.close();
    throw error;
  }
};
