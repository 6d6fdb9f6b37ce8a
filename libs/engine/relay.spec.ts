import { setTimeout as wait } from 'node:timers/promises';
import fc from 'fast-check';
import { memoryLedger } from '../../test/harness.js';
import { until } from '../../test/until.js';
import type { EventStore } from '../event-store/port.js';
import type { Envelope } from '../kernel/envelope.js';
import { batchAfter } from '../messaging/contract/harness.js';
import { type MemoryTransport, memoryTransport } from '../messaging/memory/transport.js';
import type { TransactionalLog } from '../messaging/port.js';
import type { Partitions } from './partitions.js';
import { Relay, type RelayOptions } from './relay.js';

const DAYS = 'businessDay';
const partitions: Partitions = {
  count: 4,
  of: (stream) => (stream === DAYS ? 0 : 1 + ([...stream].reduce((sum, c) => sum + c.charCodeAt(0), 0) % 3)),
};

const group = (n: number) => ({
  command: 'register-group',
  id: `group-${n}`,
  valueDate: '2021-07-01',
  data: { group: `G${n}`, district: '001', commune: '00004', massOrganisation: 'WOMEN' },
});

async function filled(groups: number) {
  const made = await memoryLedger();
  for (let n = 0; n < groups; n++) await made.ledger.handle(group(n));
  return made;
}

function relayOver(store: EventStore, log: TransactionalLog, options: Partial<RelayOptions> = {}) {
  const faults: unknown[] = [];
  const stop = new AbortController();
  const relay = new Relay({
    ...{ store, log, partitions, toAll: DAYS, now: Date.now, onFault: (fault) => faults.push(fault) },
    ...{ leaseMs: 400, chance: () => 0, ...options },
  });
  const running = relay.run(stop.signal);
  return {
    relay,
    faults,
    stop: () => {
      stop.abort();
      return running;
    },
  };
}

const published = async (log: MemoryTransport, store: EventStore) =>
  log.checkpoint().position === ((await store.head())?.position ?? '');

/** Nothing lost, doubled or out of order: each partition holds its events of the global order, numbered from 1. */
async function expectExactly(log: MemoryTransport, store: EventStore): Promise<void> {
  const expected: Envelope[][] = Array.from({ length: partitions.count }, () => []);
  for await (const event of store.readAll()) {
    if (event.stream === DAYS) for (const list of expected) list.push(event);
    else expected[partitions.of(event.stream)]?.push(event);
  }
  for (const [partition, events] of expected.entries()) {
    expect(log.messages(partition)).toEqual(events.map((event, n) => ({ partition, sequence: n + 1, event })));
    expect(log.checkpoint().sequences.get(partition) ?? 0).toBe(events.length);
  }
}

describe('the relay', () => {
  it('publishes each event exactly once, whatever becomes of its answers and of itself', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('none', 'written', 'not written', 'die'), { maxLength: 8 }),
        async (fate) => {
          const { ledger, store } = await filled(20);
          const log = memoryTransport(partitions.count);
          const fates = [...fate];
          let die = () => {};
          /** A publisher whose publications meet what was drawn. */
          const publisher = (): TransactionalLog => {
            const inner = log.publisher();
            return {
              ...inner,
              publish: async (...batch) => {
                await wait(0);
                const next = fates.shift() ?? 'none';
                if (next === 'die') die();
                const dead = next === 'die' ? 'written' : next;
                if (dead !== 'none') log.loseNextAnswer(dead);
                return inner.publish(...batch);
              },
            };
          };
          const options = { leaseMs: 20 };
          let running = relayOver(store, publisher(), options);
          die = () => {
            const dead = running;
            running = relayOver(store, publisher(), options);
            void dead.stop();
          };
          for (let n = 20; n < 40; n++) await ledger.handle(group(n));
          await until(() => published(log, store));
          await running.stop();
          await expectExactly(log, store);
          await ledger.close();
        },
      ),
      { numRuns: 12 },
    );
  }, 60_000);

  it('leads nothing while there is nothing to publish: then one does, of however many', async () => {
    const { ledger, store } = await filled(0);
    const log = memoryTransport(partitions.count);
    const relays = [1, 2].map(() => relayOver(store, log.publisher()));
    const roles = () => relays.map(({ relay }) => relay.status().role).sort();
    await until(() => relays.every(({ relay }) => relay.status().caughtUp));
    expect(roles()).toEqual(['standby', 'standby']);
    await ledger.handle(group(1));
    await until(() => published(log, store));
    // Who was fenced in that moment finds out with the next one.
    await ledger.handle(group(2));
    await until(async () => (await published(log, store)) && roles().join() === 'active,standby');
    for (const { stop } of relays) await stop();
    await expectExactly(log, store);
    await ledger.close();
  });

  it('has a standby, which takes over when the log stands still and not before; two never both publish', async () => {
    const { ledger, store } = await filled(5);
    const log = memoryTransport(partitions.count);
    const first = relayOver(store, log.publisher());
    await until(() => published(log, store));
    const second = relayOver(store, log.publisher());
    for (let n = 5; n < 60; n++) {
      await ledger.handle(group(n));
      await wait(10);
    }
    expect([first.relay.status().role, second.relay.status().role]).toEqual(['active', 'standby']);
    await first.stop();
    await ledger.handle(group(60));
    await until(() => published(log, store));
    expect(second.relay.status()).toMatchObject({ role: 'active', caughtUp: true, lagSeconds: 0 });
    await second.stop();
    await expectExactly(log, store);
    await ledger.close();
  });

  it('stands by when it was fenced, and does not fence back', async () => {
    const { ledger, store } = await filled(5);
    const log = memoryTransport(partitions.count);
    const first = relayOver(store, log.publisher());
    await until(() => published(log, store));
    // Somebody takes over while the first one sleeps.
    await log.publisher().recover();
    await ledger.handle(group(5));
    await until(() => first.relay.status().role === 'standby');
    expect(await published(log, store)).toBe(false);
    await until(() => first.relay.status().role === 'active');
    await until(() => published(log, store));
    await first.stop();
    await expectExactly(log, store);
    await ledger.close();
  });

  it('stops, and says so, where the log is ahead of the store', async () => {
    const { ledger, store } = await filled(5);
    const log = memoryTransport(partitions.count);
    const ahead = batchAfter({ position: '9'.repeat(15), sequences: new Map() }, [0]);
    const earlier = log.publisher();
    await earlier.recover();
    await earlier.publish(ahead.messages, ahead.checkpoint);
    const { relay, faults, stop } = relayOver(store, { ...log.publisher(), watch: async () => '' }, { leaseMs: 0 });
    await until(() => relay.status().role === 'stopped');
    expect(String(faults[0])).toMatch(/the log stands at 0+10+, and the store ends at/);
    await ledger.handle(group(6));
    await stop();
    expect(log.messages(0)).toEqual(ahead.messages);
    expect(log.checkpoint()).toEqual(ahead.checkpoint);
    await ledger.close();
  });

  it('goes on after faults of the store and of the log', async () => {
    const { ledger, store } = await filled(5);
    const log = memoryTransport(partitions.count);
    let broken = 2;
    const inner = log.publisher();
    const { faults, stop } = relayOver(
      store,
      {
        ...inner,
        recover: () => (broken-- > 0 ? Promise.reject(new Error('no broker')) : inner.recover()),
      },
      { leaseMs: 0 },
    );
    await until(() => published(log, store));
    expect(faults.map(String)).toEqual(['Error: no broker', 'Error: no broker']);
    await stop();
    await expectExactly(log, store);
    await ledger.close();
  });
});
