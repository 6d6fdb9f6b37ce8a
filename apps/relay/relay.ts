import { Relay } from '../../libs/engine/relay.js';
import { kafkaLog } from '../../libs/messaging/kafka/log.js';
import { READY_LAG_SECONDS_MAX } from '../../libs/surface/config.js';
import { Measurements } from '../../libs/surface/http/metrics.js';
import { type Health, serveWorker } from '../../libs/surface/http/worker.js';
import { kafkaOf, openEvents, toAll } from '../distributed/parts.js';
import { Opened, type Start } from '../distributed/service.js';

/** The relay: one leads, any number stand by. */
export const startRelay: Start = async (settings, logger) => {
  const onFault = (error: unknown) => logger.warn({ err: error }, 'a fault, retried');
  const opened = new Opened();
  try {
    const store = await opened.add(openEvents(settings, onFault));
    const log = await opened.add(kafkaLog(kafkaOf(settings, (text) => logger.debug({ kafka: text }, 'kafka'))));
    const relay = new Relay({ store, log, partitions: settings.layout, toAll, now: Date.now, onFault });
    const stopping = new AbortController();
    const measurements = measured(relay);
    const served = await serveWorker({ health: () => healthOf(relay), measurements, place: settings.place, logger });
    opened.addCloser(() => served.stop());
    const running = relay.run(stopping.signal);
    return {
      address: served.address,
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

/** A standby is ready: it does what it is there for. */
function healthOf(relay: Relay): Health {
  const status = relay.status();
  const { role, fault, lagSeconds } = status;
  const behind = role === 'active' && lagSeconds > READY_LAG_SECONDS_MAX;
  const reasons = [
    ...(role === 'stopped' ? [`stopped: ${fault}`] : fault === null ? [] : [fault]),
    ...(behind ? [`${Math.round(lagSeconds)} s behind`] : []),
  ];
  return { reasons, detail: { relay: status } };
}

function measured(relay: Relay): Measurements {
  const measurements = new Measurements(new Set());
  const gauge = (name: string, help: string, value: () => number) =>
    measurements.gauge(name, help, [], () => [{ value: value() }]);
  gauge('socai_relay_lag_seconds', 'Since everything was published; 0 while it is.', () => relay.status().lagSeconds);
  gauge('socai_relay_published', 'Events that this process has published.', () => relay.status().published);
  gauge('socai_relay_active', '1 while this one leads.', () => Number(relay.status().role === 'active'));
  gauge('socai_relay_stopped', '1 while somebody has to look at the log.', () =>
    Number(relay.status().role === 'stopped'),
  );
  measurements.gauge('socai_relay_position', 'The position of the last event that is published.', ['position'], () => [
    { position: relay.status().position, value: 1 },
  ]);
  return measurements;
}
