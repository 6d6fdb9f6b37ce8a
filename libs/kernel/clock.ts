import type { Instant } from './dates.js';

/** The time now. Only a composition root makes one from the machine's clock; everyone else is handed it. */
export type Clock = () => Instant;
