import kafkajs, { type Kafka, type KafkaConfig } from 'kafkajs';
import { hastenKafkajs } from './hasten.js';

export interface KafkaOptions {
  /** Host and port of some brokers. */
  readonly brokers: readonly string[];
  /** The name of the ledger: topics, transactional id and groups carry it. */
  readonly ledger: string;
  /** TLS, SASL, time limits: what the connection needs beside brokers. */
  readonly connection?: Omit<KafkaConfig, 'brokers' | 'clientId' | 'logLevel' | 'logCreator' | 'retry'>;
  /** Told what kafkajs says of its troubles: it meets them by itself, or a call of ours fails. */
  readonly onWarning?: (message: string) => void;
}

/** How long a request may go unanswered. */
export const REQUEST_MS = 10_000;

/** What is read again and again until it is there: about six seconds. Sends are never repeated (see `log.ts`). */
const RETRY = { initialRetryTime: 50, multiplier: 2, maxRetryTime: 1_000, retries: 10 };

/** A client of kafkajs that says nothing by itself. */
export function kafkaClient({ brokers, ledger, connection, onWarning }: KafkaOptions): Kafka {
  hastenKafkajs();
  return new kafkajs.Kafka({
    requestTimeout: REQUEST_MS,
    connectionTimeout: 3_000,
    ...connection,
    clientId: `${ledger}-ledger`,
    brokers: [...brokers],
    retry: RETRY,
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => onWarning?.(`${entry.namespace}: ${entry.log.message}`),
  });
}

/** The type of Kafka's protocol error in an error of kafkajs, which wraps it in what it did about it. */
export function protocolError(error: unknown): string | undefined {
  for (let inner = error, depth = 0; inner instanceof Error && depth < 8; depth++) {
    const { type, cause } = inner as Error & { type?: unknown };
    if (typeof type === 'string') return type;
    inner = cause;
  }
  return undefined;
}

/** Whether no broker answers, for which kafkajs has these names and no protocol error. */
export function isUnreachable(error: unknown): error is Error {
  for (let inner = error, depth = 0; inner instanceof Error && depth < 8; depth++) {
    if (/^KafkaJS(Connection|BrokerNotFound)/.test(inner.name)) return true;
    inner = inner.cause;
  }
  return false;
}

/** What is thrown, as an error. */
export const asError = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));
