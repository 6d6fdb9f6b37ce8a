/* `npm run help`: what each script is for. `tools/house.spec.ts` holds it against package.json. */

export const SCRIPTS = {
  start: 'builds, simulates a small programme on first start, and serves it on http://127.0.0.1:3000',
  dev: 'the same, started again within two seconds of each change; `npm run dev -- serve` for another verb',
  test: 'everything that CI runs: build, check, specs; `npm test -- loan` runs the specs of a name only',
  check: 'format, lint, types, who may import whom, style: under twenty seconds',
  format: 'formats, and mends what the linter can mend safely',
  jest: 'specs without a build or a check: `npm run jest -- loan --watch`',
  generate: 'docs/reference from the catalogue: after a change of a command, an event, a query or a refusal',
  bench: 'the table of measurements, each beside a peer or a raw limit',
  drill: 'a fault on purpose while a programme is posted, and whether anything was lost; `npm run drill` lists them',
  services: 'Kafka and FerretDB on free ports, without Docker, until Ctrl-C; `npm run services -- --help`',
  screenshots: 'the pictures of the README: `npm run screenshots -- DIR 2024-12-31`, of a ledger nobody holds',
  build: 'compiles to dist; `npm ci` does it too',
  prepare: 'what `npm ci` runs at its end: the build',
  help: 'this list',
};

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const width = Math.max(...Object.keys(SCRIPTS).map((name) => name.length));
  for (const [name, words] of Object.entries(SCRIPTS)) console.log(`npm run ${name.padEnd(width)}  ${words}`);
}
