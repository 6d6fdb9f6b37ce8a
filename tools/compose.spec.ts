import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { environmentOf, imageEnvironment, readCompose } from './compose.js';

/* What can be said of docker-compose.yml and the image where no Docker is. `check` lints the file itself. */

const { services, volumes } = readCompose();
const servers = Object.entries(services).filter(([, { image }]) => image !== 'socai/ledger:0.1.0');
const apps = Object.entries(services).filter(([, { build }]) => build !== undefined);

test('the parts are those of the distributed profile, and the embedded one stands apart', () => {
  expect(servers.map(([name]) => name)).toEqual(['eventstoredb', 'kafka', 'mongodb']);
  expect(apps.map(([name]) => name)).toEqual(['topics', 'relay', 'projector', 'command-api', 'query-api', 'socai']);
  expect(Object.entries(services).filter(([, { profiles }]) => profiles !== undefined)).toEqual([
    ['socai', expect.objectContaining({ profiles: ['embedded'] })],
  ]);
});

test.each(servers)('%s is pinned, is not root, keeps what it has, and says when it is healthy', (_, service) => {
  expect(service.image).toMatch(/:\d+\.\d+\.\d+(-[a-z-]+)?$/);
  expect(service.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
  expect(service.healthcheck?.test).toEqual(expect.arrayContaining([expect.any(String)]));
  const named = (service.volumes ?? []).map((volume) => volume.split(':')[0] ?? '');
  expect(named.length).toBeGreaterThan(0);
  for (const name of named) expect(volumes).toHaveProperty(name);
});

test.each(apps)('%s writes to no file system of its own, and has no privilege', (_, service) => {
  expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
});

test.each(apps)('%s runs an image that is made here, whatever a registry has of its name', (_, service) => {
  expect(service).toMatchObject({ build: '.', pull_policy: 'build' });
});

test.each(apps)('%s starts a program that is built', (name, { command }) => {
  if (name === 'socai') return expect(command).toBeUndefined();
  const [program, file = ''] = command ?? [];
  expect(program).toBe('node');
  expect(existsSync(file.replace(/^dist\/(.*)\.js$/, '$1.ts'))).toBe(true);
});

test('each part waits for all that it speaks to', () => {
  const addresses = { EVENTSTOREDB_URL: 'eventstoredb', KAFKA_BROKERS: 'kafka', MONGODB_URL: 'mongodb' };
  for (const [name, { environment = {}, depends_on = {} }] of apps) {
    const needed = Object.entries(addresses).flatMap(([variable, server]) => (variable in environment ? [server] : []));
    const waited = waitedFor(name);
    expect({ name, waited: needed.filter((server) => waited.has(server)) }).toEqual({ name, waited: needed });
    for (const [other, { condition }] of Object.entries(depends_on)) {
      const ends = services[other]?.restart === 'no';
      expect(condition).toBe(ends ? 'service_completed_successfully' : 'service_healthy');
    }
  }
});

function waitedFor(name: string): Set<string> {
  const direct = Object.keys(services[name]?.depends_on ?? {});
  return new Set([...direct, ...direct.flatMap((other) => [...waitedFor(other)])]);
}

test('the image is pinned, is not root, and listens where the file publishes', () => {
  const image = readFileSync('Dockerfile', 'utf8');
  expect([...image.matchAll(/^FROM (\S+)/gm)].map(([, from]) => from)).toEqual([
    expect.stringMatching(/^node:\d+\.\d+\.\d+-[a-z]+-slim$/),
    expect.stringMatching(/^node:\d+\.\d+\.\d+-[a-z]+-slim$/),
  ]);
  expect(image).toMatch(/^USER node$/m);
  for (const [, path] of image.matchAll(/COPY --from=build \/ledger\/(apps\S+)/g))
    expect(existsSync(path ?? '')).toBe(true);
  expect(existsSync('.dockerignore')).toBe(true);
  const { PORT, HOST } = imageEnvironment();
  expect({ PORT, HOST }).toEqual({ PORT: '3000', HOST: '0.0.0.0' });
  const ports = apps.flatMap(([, { ports = [] }]) => ports);
  expect(ports).toEqual(['127.0.0.1:3001:3000', '127.0.0.1:3000:3000', '127.0.0.1:3002:3000']);
});

test('an environment is what the image and the file say, with hosts of this machine', () => {
  const places = {
    eventStoreDb: 'esdb://127.0.0.1:1?tls=false',
    brokers: '127.0.0.1:2',
    mongoDb: 'mongodb://127.0.0.1:3',
  };
  expect(environmentOf('projector', places, { SOCAI_LEDGER: 'branch' })).toEqual({
    ...{
      NODE_ENV: 'production',
      HOST: '127.0.0.1',
      PORT: '3000',
      SOCAI_DATA: '/data',
      SOCAI_LEDGER: 'branch',
      SOCAI_PARTITIONS: '',
    },
    ...{ EVENTSTOREDB_URL: places.eventStoreDb, KAFKA_BROKERS: places.brokers, MONGODB_URL: places.mongoDb },
  });
});

test('the linter sees what is wrong', () => {
  const folder = mkdtempSync(join(tmpdir(), 'socai-compose-'));
  try {
    const broken = readFileSync('docker-compose.yml', 'utf8').replace('interval: 10s', 'intervall: 10s');
    writeFileSync(join(folder, 'docker-compose.yml'), broken);
    const lint = (file: string) =>
      spawnSync(
        process.execPath,
        [resolve('node_modules/dclint/bin/dclint.cjs'), '--max-warnings', '0', '-c', '.dclintrc.json', file],
        {
          encoding: 'utf8',
        },
      );
    expect(lint('docker-compose.yml').status).toBe(0);
    const { status, stdout } = lint(join(folder, 'docker-compose.yml'));
    expect({ status, stdout }).toEqual({ status: 1, stdout: expect.stringContaining('invalid-schema') });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
