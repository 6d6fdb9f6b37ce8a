import { DAY_LEASE_MS } from '../../libs/engine/lease.js';
import { invariant } from '../../libs/kernel/result.js';
import type { Layout } from '../../libs/messaging/layout.js';
import { type Place, placeOf } from '../../libs/surface/config.js';
import { layoutFor } from './layout.js';

/* What the environment says of where the parts of a distributed ledger find one another. */

type Environment = Readonly<Record<string, string | undefined>>;

export interface Settings {
  /** A prefix of topics, the transactional id, the group and the database: every name carries it. */
  readonly ledger: string;
  readonly eventStoreDb: string;
  /** How streams share the partitions of its topics. */
  readonly layout: Layout;
  /** The library that speaks to it. */
  readonly client: 'eventstore' | 'kurrent';
  readonly brokers: readonly string[];
  /** How long a projector may be silent before its partitions go to another. */
  readonly sessionMs: number;
  /** How long an entry may be stamped with a business day after it was read: the same for all who write. */
  readonly dayLeaseMs: number;
  readonly mongoDb: string;
  /** Of the topics, when they are made. */
  readonly replicationFactor: number;
  /** Whether a ledger that is empty is opened as a simulation. */
  readonly simulated: boolean;
  readonly place: Place;
}

export const LEDGER_DEFAULT = 'socai';
const SESSION_MS_DEFAULT = 30_000;
/** What is a topic, a database and a consumer group alike. */
const LEDGER = /^[a-z][a-z0-9-]{0,39}$/;

/** Reads the environment. What a process does not use it need not be told. */
export function settingsOf(environment: Environment): Settings {
  const place = placeOf(environment);
  invariant(place !== null, 'PORT is a port');
  const ledger = environment.SOCAI_LEDGER || LEDGER_DEFAULT;
  invariant(LEDGER.test(ledger), `SOCAI_LEDGER is a name of ${LEDGER.source}`);
  const client = environment.EVENTSTOREDB_CLIENT || 'eventstore';
  invariant(client === 'eventstore' || client === 'kurrent', 'EVENTSTOREDB_CLIENT is eventstore or kurrent');
  const replicationFactor = countOf(environment, 'KAFKA_REPLICATION', 1);
  const sessionMs = countOf(environment, 'KAFKA_SESSION_MS', SESSION_MS_DEFAULT);
  const dayLeaseMs = countOf(environment, 'SOCAI_DAY_LEASE_MS', DAY_LEASE_MS);
  return {
    ...{ ledger, client, replicationFactor, sessionMs, dayLeaseMs, place },
    layout: layoutFor(environment.SOCAI_PARTITIONS ?? ''),
    eventStoreDb: environment.EVENTSTOREDB_URL ?? '',
    brokers: (environment.KAFKA_BROKERS ?? '').split(',').filter((broker) => broker !== ''),
    mongoDb: environment.MONGODB_URL ?? '',
    simulated: environment.SOCAI_SIMULATED === 'true',
  };
}

function countOf(environment: Environment, name: string, fallback: number): number {
  const count = Number(environment[name] || fallback);
  invariant(Number.isSafeInteger(count) && count >= 1, `${name} is a whole number of at least 1`);
  return count;
}
