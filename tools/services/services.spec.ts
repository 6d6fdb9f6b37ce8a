import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describeWith, server } from '../../test/services.js';
import { ask } from './ask.js';
import { daemon, freePorts } from './daemon.js';
import { answers } from './ferretdb.js';

/* `npm run services`: what is not there is named, and what is there answers. */

const kafka = await server('KAFKA_BROKERS');
const mongodb = await server('MONGODB_URL');
const port = (url: string) => Number(new URL(url.includes('://') ? url : `tcp://${url.split(',')[0]}`).port);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'socai-services-spec-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function services(...args: string[]) {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return spawnSync(process.execPath, ['dist/tools/services/main.js', ...args], {
    encoding: 'utf8',
    env: { ...env, PATH: folder, JAVA_HOME: '', KAFKA_LIBS: folder, FERRETDB_BIN: join(folder, 'ferretdb') },
  });
}

test('what cannot be had is named, and the exit code is its own', () => {
  const file = join(folder, 'running.json');
  const { status, stderr } = services('start', '--file', file);
  expect(status).toBe(69);
  expect(stderr).toContain('no kafka: Java is not installed');
  expect(stderr).toContain('no mongodb: FERRETDB_BIN');
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ servers: {}, missing: { kafka: expect.anything() } });
});

test('a build that cannot be made says why for each server', () => {
  const { status, stderr } = services('build');
  expect(status).toBe(69);
  expect(stderr).toContain(`no kafka: KAFKA_LIBS: no kafka_2.13 jar in ${folder}`);
  expect(stderr).toContain('no mongodb: FERRETDB_BIN');
});

test('to stop what does not run is no error, and a word that is none shows what there is', () => {
  expect(services('stop', '--file', join(folder, 'none.json')).status).toBe(0);
  expect(services('begin').status).toBe(2);
});

test('a server is started, held still, killed and started again', async () => {
  const [at = 0] = await freePorts(1);
  const code = `require('node:net').createServer((s) => s.on('data', () => s.end('here'))).listen(${at}, '127.0.0.1')`;
  const echo = daemon({
    ...{ name: 'echo', command: process.execPath, args: ['-e', code], env: { NODE_OPTIONS: '' } },
    ready: async () => (await ask(at, Buffer.from('?'))).toString() === 'here',
  });
  try {
    await echo.start();
    const before = echo.pid;
    echo.pause();
    expect((await ask(at, Buffer.from('?'))).toString()).toBe('');
    echo.resume();
    expect((await ask(at, Buffer.from('?'))).toString()).toBe('here');
    await echo.kill();
    expect(echo.pid).toBeUndefined();
    await echo.start();
    expect(echo.pid).not.toBe(before);
  } finally {
    await echo.stop();
  }
  expect((await ask(at, Buffer.from('?'))).toString()).toBe('');
}, 30_000);

(existsSync('/usr/bin/setpriv') ? test : test.skip)(
  'a server ends with a process that is killed',
  async () => {
    const [at = 0] = await freePorts(1);
    const code = `require('node:net').createServer((s) => s.on('data', () => s.end('here'))).listen(${at}, '127.0.0.1')`;
    const owner = `import { daemon } from './dist/tools/services/daemon.js';
    const ready = (said) => said.includes('up');
    await daemon({ name: 'echo', command: process.execPath, args: ['-e', ${JSON.stringify(`${code}; console.log('up')`)}], ready }).start();
    setInterval(() => {}, 1_000); console.log('held');`;
    const { NODE_OPTIONS: _, ...env } = process.env;
    const holding = spawn(process.execPath, ['--input-type=module', '-e', owner], { env });
    await once(holding.stdout, 'data');
    const asked = async () => (await ask(at, Buffer.from('?'))).toString();
    while ((await asked()) !== 'here') await wait(20);
    holding.kill('SIGKILL');
    while ((await asked()) !== '') await wait(20);
  },
  30_000,
);

test('a server that ends at its start says what it said', async () => {
  const broken = daemon({
    ...{ name: 'broken', command: process.execPath, args: ['-e', 'console.error("no disk"); process.exit(3)'] },
    ready: () => false,
  });
  await expect(broken.start()).rejects.toThrow(/broken ended at its start: no disk/);
});

describeWith(kafka, 'Kafka of this run', () => {
  test('answers which versions it speaks', async () => {
    const versions = Buffer.from('0000000a001200000000000affff', 'hex');
    const answer = await ask(port(kafka.url), versions);
    expect(answer.readInt32BE(4)).toBe(10);
    expect(answer.readInt16BE(8)).toBe(0);
  });
});

describeWith(mongodb, 'the server of MongoDB’s protocol of this run', () => {
  test('answers a ping', async () => {
    expect(await answers(port(mongodb.url))).toBe(true);
  });
});

test('the jars and the binary are kept outside of what is delivered', () => {
  expect(readFileSync('.gitignore', 'utf8')).toContain('.cache/');
  expect(readFileSync('.dockerignore', 'utf8')).toContain('.cache');
  expect(existsSync('dist/.cache')).toBe(false);
});
