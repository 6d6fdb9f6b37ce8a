import Database from 'libsql';
import { rateOf } from './measurement.js';

/** As long as the event of a payment is when it is stored. */
const BODY = JSON.stringify({ body: 'x'.repeat(1_380) });

/**
 * What SQLite does with rows alone, in the layout and with the settings of the event store: `together` in one durable
 * transaction, rows a second.
 */
export function insertRows(path: string, rows: number, together: number): Promise<number> {
  const connection = new Database(path);
  connection.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000;
    CREATE TABLE events (
      position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, revision INTEGER NOT NULL, body TEXT NOT NULL);
    CREATE UNIQUE INDEX events_of_stream ON events (stream, revision)`);
  const insert = connection.prepare('INSERT INTO events VALUES (?, ?, ?, ?)');
  return rateOf(rows, () => {
    for (let done = 0; done < rows; ) {
      connection.exec('BEGIN IMMEDIATE');
      for (let row = 0; row < together && done < rows; row++, done++) insert.run(done, done % 10_000, done, BODY);
      connection.exec('COMMIT');
    }
  }).finally(() => connection.close());
}
