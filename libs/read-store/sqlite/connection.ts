import Database from 'libsql';

/** A prepared statement that gives rows as arrays. */
export interface Statement {
  all(params: readonly unknown[]): unknown[][];
  run(params: readonly unknown[]): void;
  iterate(params: readonly unknown[]): Iterable<unknown[]>;
}

/** Statements are kept by their text; the least recently used goes first. Searches have few shapes. */
const STATEMENTS_MAX = 200;

/** One connection with the statements prepared on it. Used by one piece of work at a time. */
export class Connection {
  readonly #db: Database.Database;
  readonly #idle = new Map<string, Statement>();

  constructor(readonly path: string) {
    this.#db = new Database(path);
  }

  exec(sql: string): void {
    this.#db.exec(sql);
  }

  /** All rows of a statement; `exact` reads integers as bigints. */
  all(sql: string, params: readonly unknown[] = [], exact = false): unknown[][] {
    const statement = this.take(sql, exact);
    const rows = statement.all(params);
    this.give(sql, statement);
    return rows;
  }

  run(sql: string, params: readonly unknown[]): void {
    const statement = this.take(sql, false);
    statement.run(params);
    this.give(sql, statement);
  }

  /** A statement for one use: two iterations of the same text never share one. A text is always of one exactness. */
  take(sql: string, exact: boolean): Statement {
    const idle = this.#idle.get(sql);
    if (idle === undefined) return prepare(this.#db, sql, exact);
    this.#idle.delete(sql);
    return idle;
  }

  give(sql: string, statement: Statement): void {
    this.#idle.set(sql, statement);
    if (this.#idle.size <= STATEMENTS_MAX) return;
    for (const oldest of this.#idle.keys()) {
      this.#idle.delete(oldest);
      return;
    }
  }

  get inTransaction(): boolean {
    return this.#db.inTransaction;
  }

  /** All of it or nothing: whatever `work` throws, nothing of it stays. */
  transaction<T>(work: () => T): T {
    this.exec('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      // A full disk has rolled back by itself.
      if (this.inTransaction) this.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#idle.clear();
    this.#db.close();
  }

  /** Leaves the file whole without its log, if nobody else holds on to it. */
  closeWhole(): void {
    try {
      this.exec('PRAGMA busy_timeout = 0');
      this.all('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch {
      // Whoever opens the file next copies the log.
    }
    this.close();
  }
}

function prepare(db: Database.Database, sql: string, exact: boolean): Statement {
  const prepared = db.prepare(sql);
  // Rows as arrays; a statement that gives none cannot be asked for them.
  if (prepared.reader) prepared.raw().safeIntegers(exact);
  return {
    // `get` is never used: the driver leaves the statement open after the first row, and the snapshot with it.
    all: (params) => prepared.all(params) as unknown[][],
    run: (params) => {
      prepared.run(params);
    },
    iterate: (params) => prepared.iterate(params) as Iterable<unknown[]>,
  };
}
