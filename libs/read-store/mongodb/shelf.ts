import type { Checkpoint } from '../port.js';

/*
 * What the protocol of this adapter (claims.ts, write.ts, view.ts) asks of a server: single-document operations, each
 * atomic by itself, and nothing across documents. database.ts makes them of a MongoDB connection; tests of one in memory,
 * where every call is a step that other writers may come between.
 */

/** A batch of a partition that somebody began. Of two that would be of one number, the server keeps the first. */
export interface Claim {
  /** The instance, as it was made this time. */
  readonly of: string;
  readonly partition: number;
  /** Dense in its partition, from 1. */
  readonly batch: number;
  readonly from: Checkpoint;
  readonly to: Checkpoint;
  /** No measure of the partition's cells can be further from 0 than this. */
  readonly reach: bigint;
  /** Of a batch that writes nothing from the beginning on. */
  readonly done: boolean;
}

/** What stands for an instance: null once it was dropped, and of one that this database never held or has lost. */
export type Claims = readonly Claim[] | null;

export type Value = string | number | bigint | boolean | null | { readonly [name: string]: Value };

/** A stored document: its columns by their names, and what the protocol keeps, by names that no column has. */
export interface Stored {
  readonly _id: string;
  readonly _partition: number;
  /** The last batch that touched it. */
  readonly _batch: number;
  /** Of a cell: the batch that made it. */
  readonly _first?: number;
  /** Of a cell: what the last batch added. */
  readonly _last?: { readonly [measure: string]: Value };
  /** Of a document: its fields before the last batch; null where it was none. */
  readonly _before?: { readonly [field: string]: Value } | null;
  readonly _removed?: boolean;
  readonly [column: string]: Value | undefined;
}

/** Guarded writes: whichever meets a document that its guard forbids is told, and changes nothing. */
export type Write =
  /** Adds to a cell that a lower batch touched last, or makes it. */
  | {
      readonly kind: 'add';
      readonly id: string;
      readonly batch: number;
      readonly add: Readonly<Record<string, number | bigint>>;
      readonly made: { readonly [column: string]: Value };
    }
  /** Makes a document. */
  | { readonly kind: 'insert'; readonly document: Stored }
  /** Replaces a document that was last touched by the batch `seen`. */
  | { readonly kind: 'replace'; readonly seen: number; readonly document: Stored };

/** A filter, an order and a projection in the server's own words. */
export interface Query {
  readonly filter: Readonly<Record<string, unknown>>;
  readonly sort?: Readonly<Record<string, 1 | -1>>;
  readonly limit?: number;
}

/** Sums by some columns: each row has the columns and `sums` in order, null where the server ran out of 64 bits. */
export interface Group {
  readonly filter: Readonly<Record<string, unknown>>;
  readonly by: readonly string[];
  readonly measures: readonly string[];
}

export interface GroupRow {
  readonly by: readonly (string | number)[];
  readonly sums: readonly (number | bigint | null)[];
}

export interface Shelf {
  /** Enters an instance, before anything of it is claimed; safe to repeat. */
  enter(of: string): Promise<void>;
  /** Whether an instance was entered, and is not lost. */
  holds(of: string): Promise<boolean>;
  claims(of: string): Promise<Claims>;
  /** Inserts a claim; false where there is one of its number. */
  claim(claim: Claim): Promise<boolean>;
  done(claim: Claim): Promise<void>;
  /** Forgets claims of a partition, which are not its highest. */
  forget(of: string, partition: number, batches: readonly number[]): Promise<void>;
  /** The writes that met a document which their guard forbids, by their place. The others were made. */
  write(collection: string, writes: readonly Write[]): Promise<readonly number[]>;
  /** Documents in pages, each read when it is asked for. */
  read(collection: string, query: Query): AsyncIterable<readonly Stored[]>;
  /** Null where the server cannot, and documents are read instead. */
  group(collection: string, group: Group): Promise<readonly GroupRow[] | null>;
}
