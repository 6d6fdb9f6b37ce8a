import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from './ask.js';
import { ferretdbBinary, which } from './build.js';
import { type Daemon, daemon, freePorts } from './daemon.js';
import { Missing } from './missing.js';

export interface FerretdbOptions {
  /** Default: PostgreSQL where it is installed, as it finds a document by its `_id` and a guard without reading all of them. */
  readonly backend?: 'postgresql' | 'sqlite';
}

/** A server of MongoDB's protocol. It is not MongoDB: see docs/guides/services.md for what it lacks. */
export interface Ferretdb {
  readonly backend: 'postgresql' | 'sqlite';
  /** As MONGODB_URL takes it. */
  readonly url: string;
  readonly server: Daemon;
  /** PostgreSQL, where it keeps what it has; null: in files of its own. */
  readonly database: Daemon | null;
  /** Ends it and removes its data. */
  close(): Promise<void>;
}

export async function startFerretdb(options: FerretdbOptions = {}): Promise<Ferretdb> {
  const binary = await ferretdbBinary();
  const programs = options.backend === 'sqlite' ? undefined : postgresqlPrograms();
  if (options.backend === 'postgresql' && programs === undefined) {
    throw new Missing('PostgreSQL is not installed: there are no postgres and initdb');
  }
  const folder = await mkdtemp(join(tmpdir(), 'socai-ferretdb-'));
  const [port = 0, backendPort = 0] = await freePorts(2);
  let below: Daemon | undefined;
  let server: Daemon | undefined;
  const close = async () => {
    await server?.kill();
    // An immediate shutdown; killed outright it would leave its workers and its shared memory for a while.
    await below?.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const args = [`--listen-addr=127.0.0.1:${port}`, '--debug-addr=-', '--telemetry=disable', `--state-dir=${folder}`];
    if (programs === undefined) {
      const data = join(folder, 'sqlite');
      await mkdir(data);
      args.push('--handler=sqlite', `--sqlite-url=file:${data}/`);
    } else {
      below = await startPostgresql(programs, folder, backendPort);
      args.push('--handler=postgresql', `--postgresql-url=${postgresqlUrl(backendPort)}`);
    }
    // A quarter of its time went to collecting a heap of some megabytes.
    const env = { GOGC: '400' };
    server = daemon({ name: 'FerretDB', command: binary, args, env, ready: () => answers(port) });
    await server.start();
    return {
      backend: programs === undefined ? 'sqlite' : 'postgresql',
      ...{ url: `mongodb://127.0.0.1:${port}/`, server, database: below ?? null, close },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A `ping` in MongoDB's protocol, and whether `ok` comes back. */
export async function answers(port: number): Promise<boolean> {
  const ping = Buffer.from('1e0000001070696e67000100000002246462000600000061646d696e0000', 'hex');
  const head = Buffer.alloc(21);
  head.writeInt32LE(head.length + ping.length, 0);
  head.writeInt32LE(1, 4);
  // OP_MSG, no flags, one section that is a document.
  head.writeInt32LE(2013, 12);
  return (await ask(port, Buffer.concat([head, ping]))).includes('ok');
}

interface Postgresql {
  readonly initdb: string;
  readonly postgres: string;
}

/** Debian keeps them out of the PATH, a folder a version. */
function postgresqlPrograms(): Postgresql | undefined {
  const root = '/usr/lib/postgresql';
  const folders = existsSync(root) ? readdirSync(root).map((version) => join(root, version, 'bin')) : [];
  const initdb = which('initdb', folders);
  const postgres = which('postgres', folders);
  return initdb && postgres && user() !== undefined ? { initdb, postgres } : undefined;
}

/** PostgreSQL refuses to run as root: then it runs as the user that Debian made for it, or as nobody. */
function user(): { readonly uid?: number; readonly gid?: number } | undefined {
  if (process.getuid?.() !== 0) return {};
  for (const name of ['postgres', 'nobody']) {
    const id = (flag: string) =>
      Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim() || Number.NaN);
    const found = { uid: id('-u'), gid: id('-g') };
    if (found.uid > 0 && found.gid > 0) return found;
  }
  return undefined;
}

/** As many connections as a client's pool may have calls under way, and twice: FerretDB needs a second one for each. */
const POOL = 220;
const postgresqlUrl = (port: number) => `postgres://postgres@127.0.0.1:${port}/postgres?pool_max_conns=${POOL}`;

/**
 * FerretDB looks for an `_id` by `@>`, which its own index does not serve: each update went through its whole collection.
 * Every table gets an index that does; a plan made for all values would not use it, as the name `_id` is one of them.
 */
const ID_INDEX = [
  `CREATE FUNCTION index_id() RETURNS event_trigger LANGUAGE plpgsql AS $$
    DECLARE made record;
    BEGIN
      FOR made IN SELECT objid::regclass AS name FROM pg_event_trigger_ddl_commands() WHERE command_tag = 'CREATE TABLE' LOOP
        EXECUTE format('CREATE INDEX ON %s USING gin ((_jsonb -> ''_id'') jsonb_path_ops) WITH (fastupdate = off)', made.name);
      END LOOP;
    END $$`,
  `CREATE EVENT TRIGGER index_id ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION index_id()`,
];
const ID_INDEX_SETTINGS = { plan_cache_mode: 'force_custom_plan', jit: 'off' };

async function startPostgresql(programs: Postgresql, folder: string, port: number): Promise<Daemon> {
  const data = join(folder, 'postgresql');
  const as = user() ?? {};
  await mkdir(data, { mode: 0o700 });
  await chmod(folder, 0o711);
  if (as.uid !== undefined && as.gid !== undefined) await chown(data, as.uid, as.gid);
  const flags = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'];
  execFileSync(programs.initdb, ['-D', data, ...flags], { ...as, cwd: data, stdio: 'ignore' });
  // By itself it takes a statement a line.
  const input = ID_INDEX.map((statement) => `${statement.replaceAll('\n', ' ')}\n`).join('');
  execFileSync(programs.postgres, ['--single', '-D', data, 'postgres'], { ...as, cwd: data, input, stdio: 'pipe' });
  const settings = {
    ...{ listen_addresses: '127.0.0.1', unix_socket_directories: '', max_connections: POOL + 10 },
    // A kill of the process loses nothing by it, only a power cut would: these data live as long as a test.
    ...{ fsync: 'off', full_page_writes: 'off', shared_buffers: '32MB' },
    ...ID_INDEX_SETTINGS,
  };
  const server = daemon({
    ...{ name: 'PostgreSQL', command: programs.postgres, ...as, signal: 'SIGQUIT' },
    args: ['-D', data, '-p', String(port), ...Object.entries(settings).map(([key, value]) => `-c${key}=${value}`)],
    ready: (said) => said.includes('database system is ready to accept connections'),
  });
  await server.start();
  return server;
}
