import type { Logger } from 'pino';
import { Projector } from '../../libs/engine/projector.js';
import { traceparentOf } from '../../libs/kernel/envelope.js';
import { kafkaFeed } from '../../libs/messaging/kafka/feed.js';
import type { Message } from '../../libs/messaging/port.js';
import { READY_LAG_SECONDS_MAX } from '../../libs/surface/config.js';
import { Measurements } from '../../libs/surface/http/metrics.js';
import { type Health, serveWorker } from '../../libs/surface/http/worker.js';
import { domain, followed, kafkaOf, openReadModels, toAll } from '../distributed/parts.js';
import { rebuildIn } from '../distributed/rebuild.js';
import { Opened, type Start } from '../distributed/service.js';

/** A projector: as many as there are partitions share them. */
export const startProjector: Start = async (settings, logger) => {
  const onFault = (error: unknown) => logger.warn({ err: error }, 'a fault, retried');
  const opened = new Opened();
  try {
    const readStore = await opened.add(openReadModels(settings));
    const feed = kafkaFeed(kafkaOf(settings, (text) => logger.debug({ kafka: text }, 'kafka')));
    const stopping = new AbortController();
    const projector = new Projector({
      ...{ feed, readStore, domain, followed, partitions: settings.layout, toAll, now: Date.now, onFault },
      applied: (partition, messages) => tell(logger, partition, messages),
      outdated: async (one, signal) => {
        const report = await rebuildIn(settings, readStore, one, () => {}, signal);
        logger.info({ report }, 'a later version of a read model was built');
      },
    });
    const measurements = measured(projector);
    const served = await serveWorker({
      health: () => healthOf(projector),
      measurements,
      place: settings.place,
      logger,
    });
    opened.addCloser(() => served.stop());
    const running = projector.run(stopping.signal);
    return {
      address: served.address,
      failed: running.then(() => new Promise<never>(() => {})),
      async stop() {
        stopping.abort();
        await running;
        await opened.close();
      },
    };
  } catch (error) {
    await opened.close();
    throw error;
  }
};

/** A trace ends where its event stands in the read models. */
function tell(logger: Logger, partition: number, messages: readonly Message[]): void {
  if (!logger.isLevelEnabled('debug')) return;
  for (const { sequence, event } of messages) {
    const traceparent = traceparentOf(event);
    if (traceparent !== null) logger.debug({ partition, sequence, event: event.id, traceparent }, 'projected');
  }
}

function healthOf(projector: Projector): Health {
  const reasons = projector.status().flatMap(({ name, halted, fault, lagSeconds }) => {
    if (fault !== null) return [`${name}: ${fault}`];
    if (halted !== null) return [`${name} stopped at ${halted.type} ${halted.position}: ${halted.error}`];
    return lagSeconds > READY_LAG_SECONDS_MAX ? [`${name} is ${Math.round(lagSeconds)} s behind`] : [];
  });
  return { reasons, detail: { followers: projector.status(), partitions: projector.partitions() } };
}

function measured(projector: Projector): Measurements {
  const measurements = new Measurements(new Set());
  measurements.watch(() => projector.status());
  const labels = ['model', 'partition'] as const;
  const gauge = (name: string, help: string, value: (of: ReturnType<Projector['partitions']>[number]) => number) =>
    measurements.gauge(name, help, labels, () =>
      projector.partitions().map((of) => ({ model: of.name, partition: String(of.partition), value: value(of) })),
    );
  gauge('socai_partition_lag_seconds', 'Since a read model last had all of a partition.', (of) => of.lagSeconds);
  gauge('socai_partition_sequence', 'The last event of a partition that is in a read model.', (of) => of.sequence);
  gauge('socai_partition_halted', '1 where a read model stands at an event that it cannot take.', (of) =>
    Number(of.halted !== null),
  );
  return measurements;
}
