const { default: Sequencer } = require('@jest/test-sequencer');

/*
 * Specs that drive processes or servers for a minute and more, the longest first: begun last, one of them ran alone. The
 * first three need no server: on a clean clone those are built meanwhile.
 */
const LONG = [
  'test/kills',
  'test/histories',
  'test/simulate',
  'read-store/mongodb/mongodb.contract',
  'test/profiles-servers',
  'test/readme',
  'read-store/mongodb/histories',
  'read-store/read-store.contract',
  'test/cli',
  'event-store/eventstoredb/kurrentdb.faults',
  'event-store/eventstoredb/eventstoredb',
];

const placeOf = ({ path }) => {
  const place = LONG.findIndex((name) => path.endsWith(`${name}.spec.ts`));
  return place < 0 ? LONG.length : place;
};

/** The order that jest would take, but for those. */
module.exports = class extends Sequencer {
  sort(tests) {
    return [...super.sort(tests)].sort((a, b) => placeOf(a) - placeOf(b));
  }
};
