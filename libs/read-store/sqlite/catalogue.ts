import { Connection } from './connection.js';
import { catalogueIn, instanceIn, removeOrphans } from './file.js';
import { prepareCatalogue, text } from './schema.js';

/**
 * Which instances there are, each with the number of its file, and which are live. Whoever makes, opens or drops a file
 * does it inside `exclusive`, so that a file that the catalogue names is there, and nobody makes one anew by opening it.
 */
export class Catalogue {
  readonly #connection: Connection;

  constructor(
    private readonly directory: string,
    temporary: boolean,
  ) {
    this.#connection = new Connection(catalogueIn(directory));
    prepareCatalogue(this.#connection, temporary);
    this.exclusive(() => removeOrphans(directory, new Set(this.#files().values())));
  }

  /** One at a time of all stores on the directory: all that `work` writes to the catalogue, or nothing. */
  exclusive<T>(work: () => T): T {
    return this.#connection.transaction(work);
  }

  fileOf(instance: string): string | undefined {
    const [row] = this.#connection.all('SELECT id FROM socai_instances WHERE name = ?', [instance]);
    return row === undefined ? undefined : instanceIn(this.directory, instance, Number(row[0]));
  }

  /** The file of a new instance, which nobody had before. */
  add(instance: string): string {
    const sql = 'INSERT INTO socai_instances (name) VALUES (?) RETURNING id';
    return instanceIn(this.directory, instance, Number(this.#connection.all(sql, [instance])[0]?.[0]));
  }

  remove(instance: string): void {
    this.#connection.run('DELETE FROM socai_instances WHERE name = ?', [instance]);
  }

  instances(): readonly string[] {
    return [...this.#files().keys()].sort();
  }

  live(name: string): string | undefined {
    const [row] = this.#connection.all('SELECT instance FROM socai_live WHERE name = ?', [name]);
    return row === undefined ? undefined : text(row[0]);
  }

  isLive(instance: string): boolean {
    return this.#connection.all('SELECT name FROM socai_live WHERE instance = ?', [instance]).length > 0;
  }

  switchTo(name: string, instance: string): void {
    const sql = `INSERT INTO socai_live (name, instance) VALUES (?, ?)
       ON CONFLICT (name) DO UPDATE SET instance = excluded.instance`;
    this.#connection.run(sql, [name, instance]);
  }

  close(): void {
    this.#connection.closeWhole();
  }

  #files(): Map<string, string> {
    const rows = this.#connection.all('SELECT name, id FROM socai_instances');
    return new Map(rows.map(([name, id]) => [text(name), instanceIn(this.directory, text(name), Number(id))]));
  }
}
