import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import type { SnapshotStore } from '../port.js';
import { openSqliteSnapshots } from './snapshots.js';

describe('snapshots in a SQLite file', () => {
  let directory: string;
  const faults: unknown[] = [];
  const opened: SnapshotStore[] = [];
  const path = () => join(directory, 'snapshots.db');
  const open = (maker = 'this code') => {
    const store = openSqliteSnapshots({ path: path(), maker, onFault: (fault) => faults.push(fault) });
    opened.push(store);
    return store;
  };
  const snapshot = (stream: string, revision: number) => ({
    stream,
    revision,
    body: `${stream}@${revision}`,
  });
  const found = (store: SnapshotStore, stream: string) => {
    const it = store.get(stream);
    return it && [it.revision, it.body];
  };

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'snapshots-'));
    faults.length = 0;
  });
  afterEach(() => {
    for (const store of opened.splice(0)) store.close();
    rmSync(directory, { recursive: true, force: true });
  });

  it('are found at once and after the file was closed, the last of each stream', () => {
    const store = open();
    store.put(snapshot('loan-A', 8));
    store.put(snapshot('loan-B', 9));
    store.put(snapshot('loan-A', 16));
    expect(found(store, 'loan-A')).toEqual([16, 'loan-A@16']);
    store.close();
    const again = open();
    expect([found(again, 'loan-A'), found(again, 'loan-B'), found(again, 'loan-C')]).toEqual([
      [16, 'loan-A@16'],
      [9, 'loan-B@9'],
      undefined,
    ]);
    expect(faults).toEqual([]);
  });

  it('give back what a structured clone does, as it was when it was put', () => {
    const body = { set: new Set([1]), map: new Map([['a', 1n]]), keys: Float64Array.of(2 ** 52), list: [1] };
    const store = open();
    store.put({ stream: 'loan-A', revision: 8, body });
    body.list.push(2);
    store.close();
    expect(open().get('loan-A')?.body).toEqual({ ...body, list: [1] });
  });

  it('of other code are dropped', () => {
    const store = open();
    store.put(snapshot('loan-A', 8));
    store.close();
    expect(found(open('other code'), 'loan-A')).toBeUndefined();
    expect(faults).toEqual([]);
  });

  it.each([
    ['is no database', () => Buffer.from('nothing that SQLite wrote'.repeat(1_000))],
    ['is cut short', () => readFileSync(path()).subarray(0, 5_000)],
  ])('are begun anew where the file %s', (_what, bytes) => {
    const store = open();
    store.put(snapshot('loan-A', 8));
    store.close();
    writeFileSync(path(), bytes());
    const again = open();
    expect(found(again, 'loan-A')).toBeUndefined();
    again.put(snapshot('loan-A', 9));
    again.close();
    expect(found(open(), 'loan-A')).toEqual([9, 'loan-A@9']);
  });

  it('that cannot be read are not there', () => {
    const store = open();
    store.put(snapshot('loan-A', 8));
    store.close();
    const file = new Database(path());
    file.exec("UPDATE snapshots SET body = x'ff0f'");
    file.close();
    expect(open().get('loan-A')).toBeUndefined();
    expect(faults).toEqual([]);
  });

  it('are done without where no file can be made', () => {
    rmSync(directory, { recursive: true });
    const store = open();
    store.put(snapshot('loan-A', 8));
    expect(store.get('loan-A')).toBeUndefined();
    expect(faults).toHaveLength(1);
  });
});
