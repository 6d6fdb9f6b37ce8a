/**
 * Read models: documents that a projection changes batch by batch, each batch exactly once.
 *
 * A collection is one of two kinds, told by what changes it takes: *cells* take `add` (measures are summed, so order
 * does not matter), *documents* take `put` and `remove` (the last one wins, order within a partition is kept).
 * A row that is only ever appended is a document whose key holds the event's position.
 *
 * Partitions may add to one cell: what is read is the sum of theirs. A document is written by one partition only.
 */

/**
 * Text and whole numbers that a double holds. Text is well formed and without U+0000, which some servers' drivers cut
 * at. It is compared byte by byte in UTF-8; null, in fields, comes before every value.
 */
export type KeyValue = string | number;
/** What a field may hold. `json` fields take any JSON value and cannot be searched. */
export type FieldValue = string | number | boolean | null;
/** A sum: a bigint where it passes 2^53. */
export type MeasureValue = number | bigint;

export type FieldType = 'text' | 'integer' | 'json';

/** The storage format of one collection. A change of it is a new `version` of its read model. */
export interface Collection {
  readonly name: string;
  /** The fields that identify a document, in the order of the primary index. */
  readonly key: Readonly<Record<string, 'text' | 'integer'>>;
  /** Cells: what is summed. A collection with measures takes `add` only. */
  readonly measures?: readonly string[];
  /** Documents: what is put. */
  readonly fields?: Readonly<Record<string, FieldType>>;
  /** Further indexes, each a list of names of key or `fields`. */
  readonly indexes?: readonly (readonly string[])[];
}

/** A read model: its collections, and the version under which they stand. */
export interface ReadModel {
  readonly name: string;
  readonly version: number;
  readonly collections: readonly Collection[];
}

export type Key = Readonly<Record<string, KeyValue>>;

export type Change =
  | {
      readonly op: 'add';
      readonly collection: string;
      readonly key: Key;
      readonly measures: Readonly<Record<string, MeasureValue>>;
    }
  | {
      readonly op: 'put';
      readonly collection: string;
      readonly key: Key;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  | { readonly op: 'remove'; readonly collection: string; readonly key: Key };

/** How far a projection's partition has come: its dense count of events, and the position of the last one. */
export interface Checkpoint {
  readonly sequence: number;
  readonly position: string;
}

export const AT_START: Checkpoint = { sequence: 0, position: '' };

export interface OpenOptions {
  /**
   * An instance that is made now is built from nothing and read little before it is whole: what only searches need may
   * wait for `finish`. Until then reads are as right as ever, and slow. Kept with the instance: whoever opens it again
   * after a crash goes on building. Of an instance that exists nothing changes.
   */
  readonly building?: boolean;
}

export interface Batch {
  /** The instance of a read model that is written: see `open`. */
  readonly model: string;
  readonly partition: number;
  /** What the checkpoint must be for the batch to be applied. */
  readonly from: Checkpoint;
  readonly to: Checkpoint;
  readonly changes: readonly Change[];
}

export type ApplyOutcome =
  | { readonly outcome: 'applied' }
  /**
   * Nothing was written: the checkpoint stands elsewhere. Another writer, or this batch's first try, was there. With
   * `inFlight` another batch was begun from that checkpoint, up to there, and perhaps left half way by a crash: whoever
   * goes on applies a batch of just these boundaries, with the same changes. Of stores that write a batch in one step
   * there is none.
   */
  | { readonly outcome: 'elsewhere'; readonly checkpoint: Checkpoint; readonly inFlight?: Checkpoint };

/** Each value of an `in` is a parameter of a statement, and statements have a bound. */
export const IN_MAX = 5_000;

/** One bound of a search. `in` is a list of 1 to `IN_MAX` values; the other bounds are inclusive. */
export type Condition =
  | FieldValue
  | { readonly gte?: KeyValue; readonly lte?: KeyValue; readonly gt?: KeyValue; readonly lt?: KeyValue }
  | { readonly in: readonly KeyValue[] };

export type Where = Readonly<Record<string, Condition>>;

export interface Find {
  /** All must hold. Names are of key or of text and integer fields. */
  readonly where?: Where;
  /**
   * Default: the key, ascending. A name, ascending, or with a leading `-` descending. What is equal by these is ordered
   * by the key, in the direction of the last name, so that one index read backwards serves a descending search.
   */
  readonly order?: readonly string[];
  readonly limit?: number;
}

export interface Sum {
  /**
   * Alternatives: a cell counts once for each that it meets, so callers make them disjoint. One empty `where` is all,
   * no `where` at all is nothing.
   */
  readonly where: readonly Where[];
  /** Names of the key. */
  readonly by: readonly string[];
  readonly measures: readonly string[];
}

/** A document as found: its key and its fields or measures, in one flat object. */
export type Found = Readonly<Record<string, unknown>>;

/**
 * What queries see of one instance of a read model. Reads made inside one `read` of a ReadStore see one state of it.
 */
export interface ReadView {
  /** Of partition 0: the only one where one process follows the store. */
  readonly checkpoint: Checkpoint;
  /** Of every partition that has applied a batch. */
  readonly checkpoints: ReadonlyMap<number, Checkpoint>;
  get(collection: string, key: Key): Promise<Found | undefined>;
  /** Constant memory: pulls as it goes. To be finished or left inside the `read` that gave the view. */
  find(collection: string, find?: Find): AsyncIterable<Found>;
  /**
   * One row a combination of `by` that has a cell, in byte order of `by`; exact, as bigint where it passes 2^53. With
   * no `by`, one row or, where there is no cell, none. A cell whose measures all came to 0 may be there or not.
   */
  sum(collection: string, sum: Sum): Promise<readonly Readonly<Record<string, KeyValue | MeasureValue>>[]>;
}

/** A document in which two instances of a read model differ: each side as it was found, or null where it has none. */
export interface Difference {
  readonly collection: string;
  readonly left: Found | null;
  readonly right: Found | null;
}

/** A comparison that was begun. */
export interface Comparison {
  /** The first in the order of collections and keys; null when there is none. */
  readonly difference: Promise<Difference | null>;
}

/**
 * Where read models live. A read model has *instances*: the live one that queries read, and while it is rebuilt
 * another beside it. An instance is named `<name>.<version>` or `<name>.<version>.<suffix>`.
 */
export interface ReadStore {
  /**
   * Makes sure that an instance exists, with its collections and indexes; idempotent. An instance that was made from
   * another definition of the same collections is refused with an error that names the difference.
   */
  open(instance: string, model: ReadModel, options?: OpenOptions): Promise<void>;

  /**
   * Makes what an instance that was opened as `building` went without. Safe to repeat and, after a crash, to continue;
   * of an instance that has everything it changes nothing. Of many rows it takes long: batches of that instance wait
   * meanwhile, or are refused with DATA_HELD, reads go on.
   */
  finish(instance: string): Promise<void>;

  /** `AT_START` for a partition that never applied a batch. */
  checkpoint(instance: string, partition: number): Promise<Checkpoint>;

  /**
   * Applies a batch's changes and its new checkpoint together or not at all, if the checkpoint stands at `from`.
   * Changes are applied in order; callers fold them first, so that there is one a document. Empty changes only move
   * the checkpoint. Safe to repeat: the second time answers `elsewhere`. `to` lies after `from`.
   *
   * A name or type that the definition does not have, and a sum past 64 bits, is an InvariantBroken that names it:
   * nothing of the call is written. A `put` replaces all the fields: those that it does not name become null.
   */
  apply(batch: Batch): Promise<ApplyOutcome>;

  /**
   * Several batches of one or more instances, each with its own outcome. Names and types of all are checked before
   * anything is written. The batches of one partition of an instance are written in order; each is whole, and what is not
   * of one batch may be written apart, so that after a failure the checkpoints tell which were.
   */
  applyAll(batches: readonly Batch[]): Promise<readonly ApplyOutcome[]>;

  /**
   * Reads of one instance that belong together. A store may bound how many run at once: the others wait their turn, so
   * a `read` inside a `read` is a mistake. One whose server keeps no snapshots begins `work` again when what it reads is
   * written over, and gives up with DATA_HELD where that never ends: `work` has no effect but its result.
   */
  read<T>(instance: string, work: (view: ReadView) => Promise<T>): Promise<T>;

  /**
   * Compares two instances of one read model. Resolves when one state of each is held: what is written from then on does
   * not change the outcome, and is not held up. JSON is compared by its value, and a cell whose measures all came to 0 is
   * none: whether it is there depends on how events were cut into batches. Constant memory. A store whose server keeps no
   * snapshots begins again where an instance is written meanwhile: such instances are compared while they stand still.
   */
  compare(model: ReadModel, left: string, right: string): Promise<Comparison>;

  /** The instance that queries read, or undefined. */
  live(name: string): Promise<string | undefined>;

  /** Makes an instance the live one, in one step: a reader sees the old or the new, never neither. */
  switchTo(name: string, instance: string): Promise<void>;

  /** Every instance there is. */
  instances(): Promise<readonly string[]>;

  /**
   * Removes an instance with its checkpoints. The live one is refused. Reads that are under way, here or in another
   * store on the same place, go on to their end.
   */
  drop(instance: string): Promise<void>;

  close(): Promise<void>;
}

export type ReadStoreFault =
  | 'DISK_FULL'
  | 'DATA_DAMAGED'
  | 'DATA_FOREIGN'
  | 'DATA_READ_ONLY'
  /** Another process writes to it for longer than a writer waits. */
  | 'DATA_HELD'
  /**
   * A server cannot be reached, or does not hold an instance (any more). What was asked of it last may or may not have
   * been done: the checkpoints tell. Of a server that lost its data: open instances anew.
   */
  | 'UNREACHABLE'
  /** A server does not accept who we are. */
  | 'UNAUTHORIZED'
  | 'STORE_CLOSED';

/**
 * The store cannot do its work now, and says why (`code` is stable). Nothing of the call was written. What is damaged
 * or foreign was left as it is: read models can be rebuilt from the events, in another place or after it is removed.
 */
export class ReadStoreUnavailable extends Error {
  override readonly name = 'ReadStoreUnavailable';
  constructor(
    readonly code: ReadStoreFault,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
