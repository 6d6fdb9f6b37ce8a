import { addExact } from '../../../kernel/money.js';
import { compareScalars } from '../../order.js';
import { scalar } from '../../search.js';
import type { Claim, Claims, Group, GroupRow, Query, Shelf, Stored, Value, Write } from '../shelf.js';
import { amountOf } from '../write.js';

/** Documents in a page: few, so that writers come between. */
const PAGE = 2;

/** What a server holds. Each document is changed in one step; nothing else is. */
export interface Server {
  readonly claims: Map<string, Claim>;
  readonly collections: Map<string, Map<string, Stored>>;
}

export const emptyServer = (): Server => ({ claims: new Map(), collections: new Map() });

/**
 * One client's way to a server in memory. `step` is waited for before each thing that the server does, every write of a
 * list and every document that a sum goes over by itself: whoever decides when it resolves decides how clients interleave,
 * and a client for whom it rejects is dead from there on.
 */
export class MemoryShelf implements Shelf {
  constructor(
    private readonly server: Server,
    private readonly step: () => Promise<void>,
  ) {}

  /** It never loses anything. */
  async enter(): Promise<void> {}

  async holds(): Promise<boolean> {
    return true;
  }

  async claims(of: string): Promise<Claims> {
    await this.step();
    return [...this.server.claims.values()].filter((claim) => claim.of === of);
  }

  async claim(claim: Claim): Promise<boolean> {
    await this.step();
    if (this.server.claims.has(idOf(claim))) return false;
    this.server.claims.set(idOf(claim), claim);
    return true;
  }

  async done(claim: Claim): Promise<void> {
    await this.step();
    const known = this.server.claims.get(idOf(claim));
    if (known !== undefined) this.server.claims.set(idOf(claim), { ...known, done: true });
  }

  async forget(of: string, partition: number, batches: readonly number[]): Promise<void> {
    for (const batch of batches) {
      await this.step();
      this.server.claims.delete(idOf({ of, partition, batch }));
    }
  }

  /** An unordered list: in any order; here from its end, so that nothing leans on that of the caller. */
  async write(collection: string, writes: readonly Write[]): Promise<readonly number[]> {
    const documents = this.#documents(collection);
    const met: number[] = [];
    for (const [place, write] of [...writes.entries()].reverse()) {
      await this.step();
      if (!made(documents, write)) met.push(place);
    }
    return met.reverse();
  }

  /** Each page is what then comes after the last one, as an index gives it: what moves may be met twice or not at all. */
  async *read(collection: string, { filter, sort = { _id: 1 }, limit }: Query): AsyncIterable<readonly Stored[]> {
    const documents = this.#documents(collection);
    let left = limit ?? Number.POSITIVE_INFINITY;
    for (let last: Stored | undefined; left > 0; ) {
      await this.step();
      const after = last;
      const page = [...documents.values()]
        .filter((it) => meets(it, filter) && (after === undefined || compare(sort, it, after) > 0))
        .sort((a, b) => compare(sort, a, b))
        .slice(0, Math.min(PAGE, left));
      if (page.length === 0) return;
      yield page;
      last = page.at(-1);
      left -= page.length;
    }
  }

  async group(collection: string, { filter, by, measures }: Group): Promise<readonly GroupRow[]> {
    const documents = this.#documents(collection);
    const rows = new Map<string, { by: (string | number)[]; sums: (number | bigint)[] }>();
    for (const id of [...documents.keys()]) {
      await this.step();
      const stored = documents.get(id);
      if (stored === undefined || !meets(stored, filter)) continue;
      const values = by.map((name) => stored[name] as string | number);
      const row = rows.get(JSON.stringify(values)) ?? { by: values, sums: measures.map(() => 0) };
      row.sums = row.sums.map((sum, place) => addExact(sum, amountOf(stored[measures[place] as string])));
      rows.set(JSON.stringify(values), row);
    }
    return [...rows.values()];
  }

  #documents(collection: string): Map<string, Stored> {
    const known = this.server.collections.get(collection) ?? new Map<string, Stored>();
    this.server.collections.set(collection, known);
    return known;
  }
}

const idOf = ({ of, partition, batch }: Pick<Claim, 'of' | 'partition' | 'batch'>): string =>
  `${of}/${partition}/${batch}`;

/** False where an upsert or an insert meets a document. */
function made(documents: Map<string, Stored>, write: Write): boolean {
  const id = write.kind === 'add' ? write.id : write.document._id;
  const known = documents.get(id);
  if (write.kind === 'insert') {
    if (known === undefined) documents.set(id, write.document);
    return known === undefined;
  }
  if (write.kind === 'replace') {
    if (known?._batch === write.seen) documents.set(id, write.document);
    return true;
  }
  if (known !== undefined && known._batch >= write.batch) return false;
  const cell = { ...(known ?? { ...write.made, _id: id }) } as Record<string, Value>;
  for (const [name, more] of Object.entries(write.add)) cell[name] = addExact(amountOf(cell[name]), more);
  documents.set(id, { ...cell, _batch: write.batch, _last: write.add } as unknown as Stored);
  return true;
}

function meets(stored: Stored, filter: Query['filter']): boolean {
  return Object.entries(filter).every(([name, condition]) => {
    if (name === '$or') return (condition as Query['filter'][]).some((it) => meets(stored, it));
    if (typeof condition !== 'object' || condition === null) return (stored[name] ?? null) === condition;
    const value = scalar(stored[name] ?? null);
    return Object.entries(condition).every(([operator, bound]) => holds(operator, value, bound));
  });
}

function holds(operator: string, value: string | number | null, bound: unknown): boolean {
  if (operator === '$in') return (bound as unknown[]).includes(value);
  if (operator === '$eq') return value === bound;
  if (typeof value !== typeof bound) return false;
  const order = compareScalars(value, scalar(bound));
  const holding = { $gt: order > 0, $gte: order >= 0, $lt: order < 0, $lte: order <= 0 }[operator];
  if (holding === undefined) throw new Error(`${operator} is no operator of this server`);
  return holding;
}

function compare(sort: Readonly<Record<string, 1 | -1>>, a: Stored, b: Stored): number {
  for (const [name, direction] of Object.entries(sort)) {
    const order = compareScalars(scalar(a[name] ?? null), scalar(b[name] ?? null));
    if (order !== 0) return order * direction;
  }
  return 0;
}
