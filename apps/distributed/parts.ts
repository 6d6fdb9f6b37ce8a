import type { Followed } from '../../libs/engine/ledger.js';
import type { EventStore } from '../../libs/event-store/port.js';
import type { Instant } from '../../libs/kernel/dates.js';
import { invariant } from '../../libs/kernel/result.js';
import { lendingDomain } from '../../libs/lending/catalogue.js';
import type { Layout } from '../../libs/messaging/layout.js';
import { projections } from '../../libs/projections/catalogue.js';
import { followedAs } from '../../libs/projections/projection.js';
import type { ReadStore } from '../../libs/read-store/port.js';
import { layoutFor } from './layout.js';
import type { Settings } from './settings.js';

/* What the processes of a distributed ledger have in common. Each opens only what it uses. */

export const domain = lendingDomain();

/** No ledger's name holds a dot: none begins like another. */
export const streamPrefixOf = (ledger: string): string => `${ledger}.`;

/** The stream whose events stand in every partition. */
export const toAll = domain.days.stream;

export const followed: readonly Followed[] = projections.map(followedAs);

const categories = layoutFor('').categories.map(({ category }) => category);
for (const category of domain.aggregates.keys()) invariant(categories.includes(category), `${category} has partitions`);

/** The event store. Asks the server before it resolves: who cannot reach it does not start. */
export async function openEvents({ eventStoreDb, client, ledger }: Settings, onFault: OnFault): Promise<EventStore> {
  invariant(eventStoreDb !== '', 'EVENTSTOREDB_URL says where EventStoreDB is');
  const { openEventStoreDb } = await import('../../libs/event-store/eventstoredb/store.js');
  return openEventStoreDb({
    ...{ connectionString: eventStoreDb, client, categories, prefix: streamPrefixOf(ledger) },
    interrupted: onFault,
  });
}

export async function openReadModels({ mongoDb, ledger }: Settings): Promise<ReadStore> {
  invariant(mongoDb !== '', 'MONGODB_URL says where the read models are');
  const { openMongoReadStore } = await import('../../libs/read-store/mongodb/store.js');
  return openMongoReadStore({ url: mongoDb, database: ledger });
}

export interface KafkaPlace {
  readonly brokers: readonly string[];
  readonly ledger: string;
  readonly layout: Layout;
  /** Projectors share the partitions under it. */
  readonly group: string;
  readonly sessionMs: number;
  readonly onWarning: (message: string) => void;
}

/** Where the topics are. */
export function kafkaOf(
  { brokers, ledger, layout, sessionMs }: Settings,
  onWarning: (message: string) => void,
): KafkaPlace {
  invariant(brokers.length > 0, 'KAFKA_BROKERS names at least one broker');
  return { brokers, ledger, layout, group: 'projector', sessionMs, onWarning };
}

export type OnFault = (error: unknown) => void;

/** The clock of the machine. */
export const clock = (): Instant => new Date().toISOString() as Instant;
