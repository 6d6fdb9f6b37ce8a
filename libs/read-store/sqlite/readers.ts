import type { Connection } from './connection.js';
import { closed } from './errors.js';

/** Waits for a connection to a file. */
interface Waiting {
  readonly path: string;
  take(connection: Connection): void;
  refuse(error: unknown): void;
}

/**
 * The connections that reads are made on, to whichever files, made when first wanted and never more than `most`. Who
 * finds none free waits in line: first come, first served, so that short reads cannot keep a long one out.
 */
export class Readers {
  /** The longest idle first: it makes room for one to another file. */
  readonly #idle: Connection[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #retired = new Set<string>();
  #made = 0;
  #closed = false;

  constructor(
    private readonly directory: string,
    private readonly most: number,
    private readonly open: (path: string) => Connection,
  ) {}

  async acquire(path: string): Promise<Connection> {
    if (this.#closed) throw closed(this.directory);
    const idle = this.#idle.findLastIndex((it) => it.path === path);
    const [found] = idle < 0 ? [] : this.#idle.splice(idle, 1);
    if (found !== undefined) return found;
    if (this.#made >= this.most) this.#close(this.#idle.shift());
    if (this.#made < this.most) return this.#make(path);
    return new Promise((take, refuse) => this.#waiting.push({ path, take, refuse }));
  }

  release(connection: Connection): void {
    const [next] = this.#waiting;
    const wanted = next === undefined ? !this.#retired.has(connection.path) : next.path === connection.path;
    if (this.#closed || !wanted) {
      this.discard(connection);
      return;
    }
    this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else next.take(connection);
  }

  /** A connection that is of no more use: another takes its place. */
  discard(connection: Connection): void {
    this.#close(connection);
    const next = this.#closed ? undefined : this.#waiting.shift();
    if (next === undefined) return;
    try {
      next.take(this.#make(next.path));
    } catch (error) {
      next.refuse(error);
    }
  }

  /** Keeps none to a file that was dropped: the disk is free when the last one goes. */
  retire(path: string): void {
    this.#retired.add(path);
    for (const connection of this.#idle.filter((it) => it.path === path)) {
      this.#idle.splice(this.#idle.indexOf(connection), 1);
      this.#close(connection);
    }
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#idle.splice(0)) this.#close(connection);
    for (const { refuse } of this.#waiting.splice(0)) refuse(closed(this.directory));
  }

  #close(connection: Connection | undefined): void {
    if (connection === undefined) return;
    this.#made--;
    connection.close();
  }

  #make(path: string): Connection {
    const connection = this.open(path);
    this.#made++;
    return connection;
  }
}
