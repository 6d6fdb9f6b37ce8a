import { Connection } from './connection.js';
import { closed, named } from './errors.js';
import { prepareReader } from './schema.js';

/** Waits for a connection to be free. */
interface Waiting {
  take(connection: Connection): void;
  refuse(error: Error): void;
}

/**
 * The connections that reads are made on, made when first wanted and never more than `most`. Who finds none free waits
 * in line: first come, first served, so that short reads cannot keep a long one out.
 */
export class Readers {
  readonly #idle: Connection[] = [];
  readonly #waiting: Waiting[] = [];
  #made = 0;
  #closed = false;

  constructor(
    private readonly path: string,
    private readonly most: number,
  ) {}

  async acquire(): Promise<Connection> {
    if (this.#closed) throw closed(this.path);
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#made < this.most) return this.#make();
    return new Promise((take, refuse) => this.#waiting.push({ take, refuse }));
  }

  release(connection: Connection): void {
    if (this.#closed) {
      connection.close();
      return;
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else next.take(connection);
  }

  /** A connection that could not be brought back to rest: another takes its place. */
  discard(connection: Connection): void {
    this.#made--;
    connection.close();
    const next = this.#waiting.shift();
    if (next === undefined) return;
    try {
      next.take(this.#make());
    } catch (error) {
      next.refuse(error instanceof Error ? error : new Error(String(error)));
    }
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) connection.close();
    for (const { refuse } of this.#waiting.splice(0)) refuse(closed(this.path));
  }

  #make(): Connection {
    try {
      const connection = new Connection(this.path);
      prepareReader(connection);
      this.#made++;
      return connection;
    } catch (error) {
      throw named(error, this.path);
    }
  }
}
