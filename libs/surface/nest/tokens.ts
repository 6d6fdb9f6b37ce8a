import type { FastifyBaseLogger } from 'fastify';
import type { Ledger } from '../../engine/ledger.js';
import type { CommandEntry } from '../../kernel/decider.js';
import type { Query } from '../../projections/projection.js';
import type { Measurements } from '../http/metrics.js';

/** What is injected is named by a token: no type is emitted for the injector to guess from. */
export const LEDGER = Symbol('LEDGER');
export const SERVICE = Symbol('SERVICE');

/** Commands, or queries with the page, or both of them in one service. */
export type Side = 'commands' | 'queries' | 'both';

/** All that the handlers and controllers share beside the ledger. */
export interface Service {
  readonly commands: readonly CommandEntry[];
  readonly queries: readonly Query[];
  readonly side: Side;
  readonly measurements: Measurements;
  readonly logger: FastifyBaseLogger;
  /** Tells one start of the service from another: who finds an address can ask whether it is still the same one. */
  readonly instance: string;
  /** True from the moment that a stop was asked for: nothing new is begun. */
  stopping: boolean;
}

export type { Ledger };
