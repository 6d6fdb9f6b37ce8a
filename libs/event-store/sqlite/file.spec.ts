import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import type { Envelope } from '../../kernel/envelope.js';
import { all, appended, eventAt, eventsAfter, following, newStream } from '../contract/harness.js';
import { type EventStore, NO_STREAM } from '../port.js';
import { openSqliteEventStore } from './store.js';

/** Who may not write what root may: tests that run as root read as this user where that matters. */
const NOBODY = 65_534;
const root = process.getuid?.() === 0;

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'event-store-'));
  chmodSync(directory, 0o755);
  path = join(directory, 'events.db');
});
afterEach(() => {
  chmodSync(directory, 0o755);
  rmSync(directory, { recursive: true, force: true });
});

/** Everything in the directory, byte for byte. */
const contents = () => readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'base64')]);

/** A file with a history, closed as it should be. */
async function history(events = 300): Promise<Envelope[]> {
  const store = await openSqliteEventStore({ path });
  const stored: Envelope[] = [];
  while (stored.length < events) stored.push(...(await appended(store, newStream(), NO_STREAM, 50)));
  await store.close();
  return stored;
}

describe('a file that is not whole', () => {
  it.each<[string, () => void]>([
    ['is empty', () => truncateSync(path, 0)],
    ['ends within its header', () => truncateSync(path, 60)],
    ['ends early', () => truncateSync(path, statSync(path).size - 8_192)],
    ['begins with something else', () => overwrite(0, Buffer.alloc(16, 1))],
    ['lost its first tables', () => overwrite(100, Buffer.alloc(3_000, 255))],
    ['has a damaged page in the middle', () => overwrite(4_096 * 20, Buffer.alloc(4_096, 255))],
  ])('is refused by name and left as it was when it %s', async (_, damage) => {
    await history();
    damage();
    const before = contents();
    for (const readOnly of [false, true]) {
      await expect(openSqliteEventStore({ path, readOnly })).rejects.toMatchObject({ code: 'DATA_DAMAGED' });
    }
    expect(contents()).toEqual(before);
  });

  it('is named when the damage is met while reading', async () => {
    await history();
    const store = await openSqliteEventStore({ path });
    const other = new Database(path);
    other.exec("UPDATE events SET body = '{' WHERE position = 100");
    await expect(all(store.readAll())).rejects.toMatchObject({ code: 'DATA_DAMAGED' });
    await store.close();
    other.close();
  });

  function overwrite(at: number, bytes: Buffer): void {
    const file = readFileSync(path);
    bytes.copy(file, at);
    writeFileSync(path, file);
  }
});

describe('a file of something else', () => {
  it.each<[string, () => void]>([
    ['text', () => writeFileSync(path, 'loan;amount\n'.repeat(1_000))],
    ['another database', () => makeDatabase('CREATE TABLE loans (id INTEGER); INSERT INTO loans VALUES (1)')],
    ['a later format', () => makeDatabase('PRAGMA application_id = 0x536f4361; PRAGMA user_version = 99')],
  ])('is refused by name and left as it was: %s', async (_, make) => {
    make();
    const before = contents();
    for (const readOnly of [false, true]) {
      await expect(openSqliteEventStore({ path, readOnly })).rejects.toMatchObject({ code: 'DATA_FOREIGN' });
    }
    expect(contents()).toEqual(before);
  });

  function makeDatabase(sql: string): void {
    const database = new Database(path);
    database.exec(sql);
    database.close();
  }
});

describe('a disk without room', () => {
  it('refuses what does not fit, writes nothing of it, and takes what does', async () => {
    const store = await openSqliteEventStore({ path, pagesMax: 64 });
    await goesOnAfterFullDisk(store, async () => {});
    await store.close();
  });

  (root ? it : it.skip)('goes on when there is room again', async () => {
    const mounted = join(directory, 'small');
    mkdirSync(mounted);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', mounted], { stdio: 'ignore' });
    } catch {
      // A container may not mount: the case above has shown the same with a cap on the file.
      return;
    }
    try {
      const ballast = join(mounted, 'ballast');
      writeFileSync(ballast, Buffer.alloc(3_000_000));
      const store = await openSqliteEventStore({ path: join(mounted, 'events.db') });
      await goesOnAfterFullDisk(store, async () => rmSync(ballast));
      await store.close();
    } finally {
      execFileSync('umount', ['-l', mounted]);
    }
  });

  async function goesOnAfterFullDisk(store: EventStore, makeRoom: () => Promise<void>): Promise<void> {
    const stored = await appended(store, 'loan-1', NO_STREAM, 3);
    const large = Array.from({ length: 8 }, () => {
      const stream = newStream();
      return store.append(stream, NO_STREAM, [eventAt(stream, 0, { data: 'x'.repeat(400_000) })]);
    });
    for (const refused of large) await expect(refused).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(await all(store.readAll())).toEqual(stored);
    await makeRoom();
    stored.push(...(await appended(store, 'loan-1', 2, 2)), ...(await appended(store, 'loan-2', NO_STREAM, 1)));
    expect(await all(store.readAll())).toEqual(stored);
  }
});

describe('a file that is only read', () => {
  it('takes no appends and is left as it was', async () => {
    const stored = await history();
    const before = readFileSync(path);
    const store = await openSqliteEventStore({ path, readOnly: true });
    await expect(store.append('a', NO_STREAM, eventsAfter('a', NO_STREAM, 1))).rejects.toMatchObject({
      code: 'DATA_READ_ONLY',
    });
    expect(await all(store.readAll())).toEqual(stored);
    await store.close();
    expect(readFileSync(path)).toEqual(before);
  });

  it('is not made when it is missing', async () => {
    await expect(openSqliteEventStore({ path, readOnly: true })).rejects.toMatchObject({ code: 'DATA_READ_ONLY' });
    expect(existsSync(path)).toBe(false);
  });

  it('is followed while another connection writes to it', async () => {
    const writer = await openSqliteEventStore({ path });
    const stored = await appended(writer, newStream(), NO_STREAM, 3);
    const store = await openSqliteEventStore({ path, readOnly: true });
    const reader = following(store, '');
    await reader.until('the history', () => reader.events.length === 3);
    stored.push(...(await appended(writer, newStream(), NO_STREAM, 2)));
    await reader.until('what came later', () => reader.events.length === 5);
    expect(reader.events).toEqual(stored);
    await store.close();
    await reader.ended;
    await writer.close();
  });

  it('is read in a directory that cannot be written to', async () => {
    const stored = await history();
    expect(readdirSync(directory)).toEqual(['events.db']);
    expect(await readAsNobody()).toEqual(stored);
  });

  it.each([
    ['with its log and its index', true],
    ['with its log alone, as a copy may have it', false],
  ])('is read there as a killed writer left it, %s', async (_, index) => {
    const writer = await openSqliteEventStore({ path });
    const stored = await appended(writer, newStream(), NO_STREAM, 100);
    // A copy of what stands on the disk now is what a kill leaves.
    const copies = mkdtempSync(join(tmpdir(), 'event-store-'));
    for (const side of ['', '-wal', '-shm']) copyFileSync(`${path}${side}`, join(copies, `events.db${side}`));
    await writer.close();
    for (const name of readdirSync(directory)) rmSync(join(directory, name));
    for (const side of index ? ['', '-wal', '-shm'] : ['', '-wal']) {
      copyFileSync(join(copies, `events.db${side}`), `${path}${side}`);
    }
    rmSync(copies, { recursive: true });
    const before = contents();
    expect(await readAsNobody()).toEqual(stored);
    expect(contents()).toEqual(before);
  });

  it('says so when it should be written to', async () => {
    await history(50);
    const before = contents();
    await asNobody(async () => {
      await expect(openSqliteEventStore({ path })).rejects.toMatchObject({ code: 'DATA_READ_ONLY' });
    });
    expect(contents()).toEqual(before);
  });

  function readAsNobody(): Promise<Envelope[]> {
    return asNobody(async () => {
      const store = await openSqliteEventStore({ path, readOnly: true });
      const read = await all(store.readAll());
      await store.close();
      return read;
    });
  }

  /** Runs with the directory closed for writing; root, whom no permission holds, acts as nobody meanwhile. */
  async function asNobody<T>(work: () => Promise<T>): Promise<T> {
    for (const name of readdirSync(directory)) chmodSync(join(directory, name), 0o444);
    chmodSync(directory, 0o555);
    if (root) process.seteuid?.(NOBODY);
    try {
      return await work();
    } finally {
      if (root) process.seteuid?.(0);
      chmodSync(directory, 0o755);
    }
  }
});

describe('a second writer', () => {
  it('is noticed: what it wrote is seen, and nothing is written twice or out of place', async () => {
    const first = await openSqliteEventStore({ path });
    const second = await openSqliteEventStore({ path });
    const stored = await appended(first, 'loan-1', NO_STREAM, 2);
    stored.push(...(await appended(second, 'loan-1', 1, 2)));
    expect(await first.append('loan-1', 1, eventsAfter('loan-1', 1, 1))).toEqual({ outcome: 'conflict', revision: 3 });
    stored.push(...(await appended(first, 'loan-2', NO_STREAM, 1)));
    expect(await all(second.readAll())).toEqual(stored);
    await first.close();
    await second.close();
  });

  it('that holds the file is named, and nothing is written', async () => {
    const store = await openSqliteEventStore({ path });
    const stored = await appended(store, 'loan-1', NO_STREAM, 1);
    const other = new Database(path);
    other.exec('BEGIN IMMEDIATE');
    await expect(store.append('loan-1', 0, eventsAfter('loan-1', 0, 1))).rejects.toMatchObject({ code: 'DATA_HELD' });
    other.exec('ROLLBACK');
    other.close();
    expect(await all(store.readAll())).toEqual(stored);
    expect((await appended(store, 'loan-1', 0, 1))[0]?.revision).toBe(1);
    await store.close();
  });
});
