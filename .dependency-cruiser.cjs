/*
 * Who may import whom: two columns on one foundation (docs/adr, README "The house"). Each rule says why it is there,
 * and `tools/layers.spec.ts` shows that each one catches what it is for.
 *
 *   what it means (pure):             lending -> projections      \
 *                                                                  surface -> apps
 *   how it is kept (knows no loan):   ports, proof -> engine      /
 *   all stand on kernel; only apps name adapters
 */

const PORTS = 'event-store|read-store|messaging';
const OURS = '^(apps|libs|test|bench|tools)/';
/** A folder in a port's room is an adapter, but for the suite that every adapter passes. */
const ADAPTERS = `^libs/(${PORTS})/(?!contract/|testing/)[^/]+/`;
/** What only tests run: specs, the suites of the ports, slow models and generators beside them. */
const TESTS =
  '\\.(spec|model)\\.(ts|mjs)$|\\.child\\.mjs$|/lending/(scenario|examples)\\.ts$|/contract(\\.ts$|/)|/testing/';
/** Packages that describe types and leave nothing behind at run time. */
const TYPES = '(^|/)(node_modules/)?@types/';

/**
 * Inside `lending` a later folder may use an earlier one's state, never the reverse: so an aggregate is read without
 * those that come after it.
 */
const LENDING_ORDER = [
  'business-day',
  'programme',
  'policy',
  'group',
  'borrower',
  'fund',
  'district-fund',
  'loan',
  'processes',
];

const error = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

/** A room of `libs` may import itself and `allowed`, and nothing else of ours. */
const room = (name, comment, from, allowed) =>
  error(
    name,
    comment,
    { path: `^libs/(${from})/`, pathNot: TESTS },
    { path: OURS, pathNot: [`^libs/(${from})/`, ...allowed] },
  );

const lendingOrder = LENDING_ORDER.slice(0, -1).map((folder, index) =>
  error(
    `lending-order-${folder}`,
    `A later folder may use an earlier one's state type, never the reverse: ${folder} is understood without what follows it.`,
    { path: `^libs/lending/${folder}/`, pathNot: TESTS },
    { path: `^libs/lending/(${LENDING_ORDER.slice(index + 1).join('|')})/` },
  ),
);

module.exports = {
  forbidden: [
    // ------------------------------------------------------------------------------------------------ the left column
    room(
      'kernel-stands-alone',
      'Everything stands on kernel: what it imported would be imported by everyone.',
      'kernel',
      [],
    ),
    room(
      'lending-on-kernel',
      'Who changes a lending rule reads lending and kernel, and cannot meet storage, transport or a read model.',
      'lending',
      ['^libs/kernel/'],
    ),
    ...lendingOrder,
    error(
      'lending-shared-first',
      'Codes, vocabulary and refusals are what every aggregate speaks: they know none of them.',
      { path: '^libs/lending/[^/]+\\.ts$', pathNot: [TESTS, '^libs/lending/catalogue\\.ts$'] },
      { path: '^libs/lending/([^/]+/|catalogue\\.ts$)' },
    ),
    error(
      'lending-catalogue-last',
      'The catalogue concatenates: nothing that it lists may look at it, or something would be said first there.',
      { path: '^libs/lending/', pathNot: TESTS },
      { path: '^libs/lending/catalogue\\.ts$' },
    ),
    room(
      'projections-on-lending',
      'A read model follows from events and from nothing else; of the store it knows the port.',
      'projections',
      ['^libs/(kernel|lending)/', '^libs/read-store/port\\.ts$'],
    ),
    error(
      'projections-take-types-of-the-port',
      'A projection says what changes; it does not run the store. Types leave nothing behind at run time.',
      { path: '^libs/projections/', pathNot: TESTS },
      { path: '^libs/read-store/port\\.ts$', dependencyTypesNot: ['type-only'] },
    ),
    error(
      'left-column-without-io',
      'Time, randomness and I/O come in as arguments: the meaning of the ledger can be run again and give the same.',
      { path: '^libs/(kernel|lending|projections)/', pathNot: TESTS },
      { dependencyTypes: ['core'] },
    ),
    error(
      'left-column-without-packages',
      'What a đồng means depends on no package: nothing here can change by an update.',
      { path: '^libs/(kernel|lending|projections|proof)/', pathNot: TESTS },
      { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'], pathNot: TYPES },
    ),
    // ----------------------------------------------------------------------------------------------- the right column
    room('proof-on-kernel', 'A verifier is read alone, by who does not trust the rest: pure over bytes.', 'proof', [
      '^libs/kernel/',
    ]),
    error(
      'proof-hashes-only',
      'Proof computes on bytes that it is given: of the machine it needs the hash functions and nothing else.',
      { path: '^libs/proof/', pathNot: TESTS },
      { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    ),
    ...PORTS.split('|').map((port) =>
      room(
        `${port}-on-kernel`,
        'A port knows events or documents, no loan and no other port: each can be changed for another by itself.',
        port,
        ['^libs/kernel/'],
      ),
    ),
    error(
      'port-without-adapters',
      "A port's own file is what everyone may import: it brings no adapter and no I/O along.",
      { path: `^libs/(${PORTS})/port\\.ts$` },
      { pathNot: ['^libs/kernel/', `^libs/(${PORTS})/[^/]+\\.ts$`] },
    ),
    room(
      'engine-on-ports',
      'The engine knows no loan: it is told of the domain through kernel/decider.ts, and of storage through the ports.',
      'engine',
      ['^libs/(kernel|proof)/', `^libs/(${PORTS})/(port|fold)\\.ts$`],
    ),
    error(
      'engine-without-io',
      'What the engine does to a disk or a network it does through a port, so that every adapter behaves alike.',
      { path: '^libs/engine/', pathNot: TESTS },
      { dependencyTypes: ['core'], pathNot: '^(node:)?(timers/promises|timers|events|crypto|perf_hooks|util)$' },
    ),
    error(
      'engine-without-packages',
      'The write path is ours to the last line: what is durable must not hang on a package of convenience.',
      { path: '^libs/engine/', pathNot: TESTS },
      { dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'], pathNot: TYPES },
    ),
    // -------------------------------------------------------------------------------------------------- where they meet
    room(
      'surface-below-apps',
      'The surface is the same in both profiles: composition roots use it, never the reverse.',
      'surface',
      ['^libs/'],
    ),
    error(
      'browser-modules-are-few',
      'What a browser runs is served as it was built, file by file: it imports what is served with it (surface/http/assets.ts).',
      { path: '^libs/surface/(web/browser/|formats/vietnamese\\.ts$)', pathNot: TESTS },
      {
        dependencyTypesNot: ['type-only'],
        pathNot: '^libs/(surface/web/browser/|surface/formats/vietnamese\\.ts$|kernel/(dates|result)\\.ts$)',
      },
    ),
    error(
      'only-apps-name-adapters',
      'Which store is used is decided in one place: else a second profile would be a second program.',
      { path: '^libs/', pathNot: [TESTS, `^libs/(${PORTS})/`] },
      { path: ADAPTERS },
    ),
    error(
      'apps-without-tools',
      'What is delivered does not hang on what builds or measures it.',
      { path: '^(apps|libs)/', pathNot: TESTS },
      { path: '^(test|bench|tools)/' },
    ),
    // ------------------------------------------------------------------------------------------------------ everywhere
    error(
      'no-cycle-at-run-time',
      'Modules that load one another see each other half made. Types may refer to one another.',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    error(
      'product-without-tests',
      'Nothing that is delivered may hang on a spec, a suite of a port or a test generator.',
      { path: OURS, pathNot: [TESTS, '^(test|bench)/'] },
      { path: TESTS },
    ),
    error('nothing-imports-a-spec', 'A spec that is imported runs twice.', {}, { path: '\\.spec\\.ts$' }),
    error(
      'product-without-dev-dependencies',
      'A package that only development installs is missing where the product runs.',
      { path: '^(apps|libs)/', pathNot: TESTS },
      { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: TYPES },
    ),
    error(
      'packages-are-declared',
      'A package that another one brings along goes away with it. Types of one are harmless.',
      { path: OURS, pathNot: TESTS },
      { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    ),
    error(
      'product-is-reachable',
      'What no app comes to is there for its tests only: nobody has it. A browser comes to its own modules; a log in memory serves the tests of the engine.',
      { path: '^apps/[^/]+/(main|[^/]+-worker)\\.ts$' },
      {
        path: '^libs/',
        pathNot: [TESTS, '^libs/surface/web/browser/', '^libs/messaging/memory/'],
        reachable: false,
      },
    ),
    error('imports-resolve', 'An import that leads nowhere stops the start.', {}, { couldNotResolve: true }),
  ],
  options: {
    // Type-only imports are seen, and told apart from those that are still there at run time.
    tsPreCompilationDeps: true,
    parser: 'tsc',
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|data|coverage)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'types', 'default'] },
    // The command of the workspace lives on the dependencies of the house.
    combinedDependencies: true,
    skipAnalysisNotInRules: true,
  },
};
