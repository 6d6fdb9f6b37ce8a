import type { Collection } from '../../read-store/port.js';

/* Storage format: change with care. A change of anything here is a new version, rebuilt beside the live one. */

export const VERSION = 1;

export const EVENTS = 'events';

/**
 * A loan's events as rows: a loan is short, and folded with lending's own `evolve` it cannot differ from what commands
 * were decided on. `meta` holds what the fold and the statement need of it.
 */
const events: Collection = {
  name: EVENTS,
  key: { loan: 'text', revision: 'integer' },
  fields: { position: 'text', type: 'text', version: 'integer', recorded: 'text', data: 'json', meta: 'json' },
};

export const collections: readonly Collection[] = [events];
