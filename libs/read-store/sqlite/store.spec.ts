import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { InvariantBroken } from '../../kernel/result.js';
import { add, batch, collect, INSTANCE, loansOf, MODEL, put } from '../contract/model.js';
import { AT_START, type Change, type Find, type Sum } from '../port.js';
import { planFind, planSum } from '../search.js';
import { shapesOf } from '../shape.js';
import { named } from './errors.js';
import { removeFile } from './file.js';
import { tableOf } from './schema.js';
import { openSqliteReadStore } from './store.js';
import { findSql, sumSql } from './view.js';

let folder: string;
/** The place of a store, and the two files that it has in most cases here. */
let path: string;
let catalogue: string;
let instance: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-store-'));
  path = join(folder, 'read');
  catalogue = join(path, 'catalogue.db');
  instance = join(path, `${INSTANCE}-1.db`);
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const fault = (code: string) => expect.objectContaining({ name: 'ReadStoreUnavailable', code });
const many = (count: number): Change[] => [...Array(count).keys()].map((n) => put(`L${n}`, { terms: 'x'.repeat(500) }));

describe('a file that is not ours', () => {
  const others: readonly (readonly [string, (file: string) => void])[] = [
    ['text', (file) => writeFileSync(file, 'Kính gửi: phòng kế toán\n'.repeat(300))],
    ['a single byte', (file) => writeFileSync(file, 'x')],
    ['the database of another program', makeOther],
  ];
  it.each(others)('because it holds %s is refused by name and left as it was', (_what, make) => {
    mkdirSync(path);
    make(catalogue);
    const before = readFileSync(catalogue);
    expect(opening(path)).toThrow(catalogue);
    expect(failureOf(path)).toEqual(fault('DATA_FOREIGN'));
    expect(readFileSync(catalogue).equals(before)).toBe(true);
    expect(readdirSync(path)).toEqual(['catalogue.db']);
  });

  it.each(others)('and stands for an instance, because it holds %s, is refused likewise', async (_what, make) => {
    await filled(1);
    removeFile(instance);
    make(instance);
    const before = readFileSync(instance);
    const store = openSqliteReadStore({ path });
    const refused = loansOf(store);
    await expect(refused).rejects.toEqual(fault('DATA_FOREIGN'));
    await expect(refused).rejects.toThrow(instance);
    await expect(store.open(INSTANCE, MODEL)).rejects.toEqual(fault('DATA_FOREIGN'));
    await store.close();
    expect(readFileSync(instance).equals(before)).toBe(true);
  });

  it('beside ours is left alone', async () => {
    await filled(1);
    makeOther(join(path, 'photos-1.db'));
    writeFileSync(join(path, 'quality.2-7.db'), 'not ours');
    await openSqliteReadStore({ path }).close();
    expect(databases()).toEqual(['catalogue.db', 'photos-1.db', `${INSTANCE}-1.db`, 'quality.2-7.db']);
  });

  it('because it is where the directory should be is refused', () => {
    writeFileSync(path, 'SQLite format 3\0 of an earlier version');
    expect(failureOf(path)).toEqual(fault('DATA_FOREIGN'));
  });

  it('because it is a folder is refused', () => {
    mkdirSync(catalogue, { recursive: true });
    expect(failureOf(path)).toEqual(fault('DATA_FOREIGN'));
  });

  it('because another version of the program made it is refused', async () => {
    await openSqliteReadStore({ path }).close();
    const bytes = readFileSync(catalogue);
    bytes.writeUInt32BE(9, 60);
    writeFileSync(catalogue, bytes);
    // Whether its index of the log is left beside it, as by a killed process, or not.
    expect(opening(path)).toThrow(/format 9/);
    rmSync(`${catalogue}-shm`);
    expect(opening(path)).toThrow(/format 9/);
  });
});

describe('a damaged file', () => {
  it('that was cut short is refused by name and left as it was', async () => {
    await filled(400);
    rmSync(`${instance}-wal`);
    rmSync(`${instance}-shm`);
    truncateSync(instance, 40_960);
    const before = readFileSync(instance);
    await expect(reading()).rejects.toEqual(fault('DATA_DAMAGED'));
    expect(readFileSync(instance).equals(before)).toBe(true);
  });

  it('is known when it is read, and the code says so', async () => {
    await filled(400);
    const bytes = readFileSync(instance);
    bytes.fill(0xa5, 8_192);
    writeFileSync(instance, bytes);
    await expect(reading()).rejects.toEqual(fault('DATA_DAMAGED'));
  });

  it('that is not there any more is named, and begins anew when it is opened', async () => {
    await filled(400);
    rmSync(instance);
    await expect(reading()).rejects.toEqual(fault('DATA_DAMAGED'));
    await expect(reading()).rejects.toThrow(instance);
    const store = openSqliteReadStore({ path });
    await store.open(INSTANCE, MODEL);
    expect([await store.checkpoint(INSTANCE, 0), await loansOf(store)]).toEqual([AT_START, []]);
    await store.close();
  });

  async function reading(): Promise<unknown> {
    const store = openSqliteReadStore({ path });
    try {
      return await loansOf(store);
    } finally {
      await store.close();
    }
  }
});

describe('what a killed process left', () => {
  it('of an instance that the catalogue does not have is removed', async () => {
    await filled(1);
    copyFileSync(instance, join(path, 'quality.2-9.db'));
    writeFileSync(join(path, 'quality.3-10.db'), '');
    await openSqliteReadStore({ path }).close();
    expect(databases()).toEqual(['catalogue.db', `${INSTANCE}-1.db`]);
  });

  it('of an instance that it was dropping can be opened anew, or dropped', async () => {
    await filled(1);
    const db = new Database(instance);
    db.exec('DELETE FROM socai_instance');
    db.close();
    const store = openSqliteReadStore({ path });
    await expect(loansOf(store)).rejects.toEqual(fault('DATA_DAMAGED'));
    await store.open(INSTANCE, MODEL);
    expect(await loansOf(store)).toEqual([]);
    await store.drop(INSTANCE);
    await store.close();
    expect(databases()).toEqual(['catalogue.db']);
  });
});

describe('a place that is full', () => {
  it('refuses the batch by name, keeps what it had, and reads on', async () => {
    const store = openSqliteReadStore({ path, bytesMax: 200_000 });
    await store.open(INSTANCE, MODEL);
    await store.apply(batch(0, 1, [put('L0')]));
    await expect(store.apply(batch(1, 2, many(5_000)))).rejects.toEqual(fault('DISK_FULL'));
    expect(await loansOf(store)).toEqual(['L0']);
    expect(await store.apply(batch(1, 2, [put('L1')]))).toEqual({ outcome: 'applied' });
    await store.close();
  });
});

describe('a place that cannot be written', () => {
  it('is refused by name', () => {
    // Who may do anything is stopped by no mode.
    if (process.getuid?.() === 0) return;
    chmodSync(folder, 0o500);
    expect(failureOf(path)).toEqual(fault('DATA_READ_ONLY'));
    chmodSync(folder, 0o700);
  });

  it('is refused when what should be its folder is a file', () => {
    writeFileSync(path, '');
    expect(failureOf(join(path, 'read'))).toEqual(fault('DATA_READ_ONLY'));
  });

  it.each([
    [5, 'DATA_HELD'],
    [8, 'DATA_READ_ONLY'],
    [11, 'DATA_DAMAGED'],
    [267, 'DATA_DAMAGED'],
    [13, 'DISK_FULL'],
    [778, 'DATA_DAMAGED'],
  ])('reports %i as %s', (rawCode, code) => {
    expect(named(new Database.SqliteError('told by the driver', 'SQLITE', rawCode), path)).toEqual(fault(code));
  });

  it('reports what is nobody’s fault but ours as it is', () => {
    const error = new InvariantBroken('ours');
    expect(named(error, path)).toBe(error);
  });
});

describe('an instance that is building', () => {
  const indexes = (): unknown[] => {
    const db = new Database(instance);
    const names = db.prepare("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").raw().all();
    db.close();
    return names.flat().sort();
  };
  const all = ['rows/cells/day', 'rows/loans/days', 'rows/loans/district,days'];

  it('has no further indexes until it is finished, also when it is opened again', async () => {
    const store = openSqliteReadStore({ path });
    await store.open(INSTANCE, MODEL, { building: true });
    await store.apply(batch(0, 1, many(300)));
    await store.close();
    expect(indexes()).toEqual([]);
    const again = openSqliteReadStore({ path });
    await again.open(INSTANCE, MODEL);
    expect(indexes()).toEqual([]);
    await again.finish(INSTANCE);
    await again.close();
    expect(indexes()).toEqual(all);
  });

  it('and was killed while it was finished goes on where it was', async () => {
    const store = openSqliteReadStore({ path });
    await store.open(INSTANCE, MODEL, { building: true });
    await store.apply(batch(0, 1, many(3)));
    const db = new Database(instance);
    db.exec('CREATE INDEX "rows/loans/days" ON "rows/loans" ("days","loan","part")');
    db.close();
    await store.finish(INSTANCE);
    await store.close();
    expect(indexes()).toEqual(all);
  });
});

describe('a temporary place', () => {
  it('is gone when the store is closed', async () => {
    const before = places();
    const store = openSqliteReadStore({ path: ':memory:' });
    await store.open(INSTANCE, MODEL);
    expect(places()).toHaveLength(before.length + 1);
    await store.close();
    expect(places()).toEqual(before);
  });

  const places = (): string[] => readdirSync(tmpdir()).filter((it) => it.startsWith('read-store-temporary-'));
});

describe('the readers', () => {
  it('are no more than said: who comes later waits, and is refused when the store closes', async () => {
    const store = openSqliteReadStore({ path, readers: 2 });
    await store.open(INSTANCE, MODEL);
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    let running = 0;
    const read = (): Promise<number> =>
      store.read(INSTANCE, async () => {
        running++;
        await gate;
        return running;
      });
    const reads = [read(), read(), read()];
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(running).toBe(2);
    open();
    expect((await Promise.all(reads)).at(-1)).toBe(3);
    const held = [store.read(INSTANCE, forever), store.read(INSTANCE, forever)];
    const waiting = store.read(INSTANCE, forever);
    await store.close();
    await expect(waiting).rejects.toEqual(fault('STORE_CLOSED'));
    expect(held).toHaveLength(2);
  });

  it('that are under way when the store closes are refused what they ask next', async () => {
    const store = openSqliteReadStore({ path });
    await store.open(INSTANCE, MODEL);
    await store.apply(batch(0, 1, many(600)));
    const reading = store.read(INSTANCE, async (view) => {
      for await (const _loan of view.find('loans')) await store.close();
    });
    await expect(reading).rejects.toEqual(fault('STORE_CLOSED'));
  });

  const forever = (): Promise<never> => new Promise(() => undefined);
});

describe('a search', () => {
  const shapes = shapesOf(MODEL);
  const finds: readonly (readonly [string, Find])[] = [
    ['the key', { where: { loan: 'L1', part: { gte: 1 } } }],
    ['an index', { where: { district: 'D1', days: { gt: 30 } }, order: ['days'] }],
    ['an index backwards', { order: ['-district', '-days'] }],
    ['a list', { where: { district: { in: ['D1', 'D2'] } } }],
  ];
  it.each(finds)('by %s goes through no more than it finds', async (_what, find) => {
    const params: (string | number | bigint | null)[] = [];
    const shape = shapes.get('loans');
    if (shape === undefined) throw new Error('no such collection');
    const plan = await planOf(findSql(tableOf('loans'), shape, planFind(shape, find), params), params);
    expect(plan).toMatch(/USING (COVERING )?INDEX|USING PRIMARY KEY/);
    if (!JSON.stringify(find).includes('"in"')) expect(plan).not.toMatch(/TEMP B-TREE/);
  });

  it('of several alternatives finds each by the key or an index', async () => {
    const sum: Sum = {
      where: [{ district: 'D1', day: { lte: '2026-01-31' } }, { day: '2026-02-01' }],
      by: ['bucket'],
      measures: ['amount'],
    };
    const params: (string | number | bigint | null)[] = [];
    const shape = shapes.get('cells');
    if (shape === undefined) throw new Error('no such collection');
    const plan = await planOf(sumSql(tableOf('cells'), planSum(shape, sum), params), params);
    expect(plan).toMatch(/SEARCH .* USING PRIMARY KEY \(district=\? AND day<\?\)/);
    expect(plan).toMatch(/SEARCH .* USING INDEX .* \(day=\?\)/);
  });

  async function planOf(sql: string, params: readonly unknown[]): Promise<string> {
    const store = openSqliteReadStore({ path });
    await store.open(INSTANCE, MODEL);
    await store.close();
    const db = new Database(instance);
    const steps = db.prepare(`EXPLAIN QUERY PLAN ${sql}`).raw().all(params);
    db.close();
    return JSON.stringify(steps);
  }
});

it('cells of which the file has many are found in constant memory', async () => {
  const store = openSqliteReadStore({ path });
  await store.open(INSTANCE, MODEL);
  await store.apply(
    batch(
      0,
      1,
      [...Array(5_000).keys()].map((n) => add(`D${n}`, '2026-01-05', n)),
    ),
  );
  const found = await store.read(INSTANCE, async (view) => collect(view.find('cells', { order: ['day', '-bucket'] })));
  expect(found).toHaveLength(5_000);
  await store.close();
});

const databases = (): string[] =>
  readdirSync(path)
    .filter((it) => it.endsWith('.db'))
    .sort();

const opening = (place: string) => () => openSqliteReadStore({ path: place });

/** Documents enough for a few hundred pages, all of them in the file itself. */
async function filled(count: number): Promise<void> {
  const store = openSqliteReadStore({ path });
  await store.open(INSTANCE, MODEL);
  await store.apply(batch(0, 1, many(count)));
  await store.close();
}

/** What opening a place fails with. */
function failureOf(place: string): unknown {
  try {
    return openSqliteReadStore({ path: place });
  } catch (error) {
    return error;
  }
}

function makeOther(place: string): void {
  const db = new Database(place);
  db.exec('CREATE TABLE photos (name TEXT); INSERT INTO photos VALUES (1)');
  db.close();
}
