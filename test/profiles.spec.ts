import { layoutFor } from '../apps/distributed/layout.js';
import { memoryEventStore } from '../libs/event-store/memory/overlay.js';
import { memoryTransport } from '../libs/messaging/memory/transport.js';
import { memoryReadStore } from '../libs/read-store/memory/overlay.js';
import { bothProfiles } from './profiles-suite.js';

const layout = layoutFor('');

describe('the same programme in both profiles, over memory', () => {
  bothProfiles('2023-07-01', () => {
    const transport = memoryTransport(layout.count);
    return {
      layout,
      ...{ store: memoryEventStore(), readStore: memoryReadStore(), log: transport.publisher() },
      feeds: [transport.feed('projectors'), transport.feed('projectors')],
    };
  });
});
