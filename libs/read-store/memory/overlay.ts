import { invariant } from '../../kernel/result.js';
import { compareByReading } from '../compare.js';
import type { ApplyOutcome, Batch, Checkpoint, Comparison, ReadModel, ReadStore, ReadView } from '../port.js';
import { AT_START, ReadStoreUnavailable } from '../port.js';
import { checkBatch, sameCheckpoint } from '../rows.js';
import { checkDefinition, checkInstance, definitionText, shapesOf } from '../shape.js';
import { commit, type Instance, makeInstance, type Staged, stage } from './tables.js';
import { CombinedView } from './view.js';

/**
 * What is applied stays in memory, on top of what the base holds: for dry runs. The base is never written, is not
 * closed with the overlay, and must stand still meanwhile: checkpoints continue from where it stands.
 *
 * Rows in memory are sought by going through all of them, and copied when a batch is applied beside a read: made for
 * what one run changes, not for a whole ledger.
 */
export function overlayReadStore(base: ReadStore): ReadStore {
  return new MemoryReadStore(base);
}

/** A store that starts empty and is gone with the process. */
export function memoryReadStore(): ReadStore {
  return new MemoryReadStore(undefined);
}

class MemoryReadStore implements ReadStore {
  readonly #instances = new Map<string, Instance>();
  /** Instances of the base that were dropped here. */
  readonly #dropped = new Set<string>();
  readonly #live = new Map<string, string>();
  #closed = false;

  constructor(private readonly base: ReadStore | undefined) {}

  async open(instance: string, model: ReadModel): Promise<void> {
    this.#check();
    checkInstance(instance, model);
    const shapes = shapesOf(model);
    const wanted = definitionText(model);
    const onBase = await this.#isOnBase(instance);
    // The base has it, so there it only compares.
    if (onBase) await this.base?.open(instance, model);
    const known = this.#instances.get(instance);
    if (known !== undefined) checkDefinition(instance, known.definition, wanted);
    else this.#instances.set(instance, makeInstance(wanted, shapes, onBase));
  }

  /** There are no indexes. */
  async finish(instance: string): Promise<void> {
    this.#check();
    const there = this.#instances.has(instance) || (await this.#isOnBase(instance));
    invariant(there, `there is no instance ${instance}`);
  }

  async checkpoint(instance: string, partition: number): Promise<Checkpoint> {
    this.#check();
    const own = this.#instances.get(instance);
    const known = own?.checkpoints.get(partition);
    if (known !== undefined) return known;
    return this.#baseCheckpoint(instance, partition, own);
  }

  async apply(batch: Batch): Promise<ApplyOutcome> {
    const [outcome] = await this.applyAll([batch]);
    invariant(outcome !== undefined, 'a batch has an outcome');
    return outcome;
  }

  /** Waits for the base first: from there on nothing comes between a checkpoint's comparison and its change. */
  async applyAll(batches: readonly Batch[]): Promise<readonly ApplyOutcome[]> {
    this.#check();
    const below = await Promise.all(
      batches.map(({ model, partition }) => this.#baseCheckpoint(model, partition, this.#instances.get(model))),
    );
    const outcomes: ApplyOutcome[] = [];
    const staged: Staged[] = [];
    const moved = new Map<string, Checkpoint>();
    for (const [place, batch] of batches.entries()) {
      checkBatch(batch);
      const instance = this.#opened(batch.model);
      const line = `${batch.model} ${batch.partition}`;
      const checkpoint = moved.get(line) ?? instance.checkpoints.get(batch.partition) ?? below[place] ?? AT_START;
      if (sameCheckpoint(checkpoint, batch.from)) {
        staged.push(stage(instance, batch, staged));
        moved.set(line, batch.to);
        outcomes.push({ outcome: 'applied' });
      } else {
        outcomes.push({ outcome: 'elsewhere', checkpoint });
      }
    }
    for (const it of staged) commit(it);
    for (const [place, { model, partition, to }] of batches.entries()) {
      if (outcomes[place]?.outcome === 'applied') this.#opened(model).checkpoints.set(partition, to);
    }
    return outcomes;
  }

  async read<T>(instance: string, work: (view: ReadView) => Promise<T>): Promise<T> {
    this.#check();
    const own = this.#instances.get(instance);
    if (own === undefined) {
      invariant(this.base !== undefined && !this.#dropped.has(instance), `there is no instance ${instance}`);
      return this.base.read(instance, work);
    }
    const pinned = [...own.tables.values()];
    for (const table of pinned) table.pins++;
    const tables = new Map([...own.tables].map(([name, { rows }]) => [name, rows]));
    const checkpoints = new Map(own.checkpoints);
    const combined = async (below: ReadView | undefined): Promise<T> => {
      const view = new CombinedView(own.shapes, tables, checkpoints, below);
      try {
        return await work(view);
      } finally {
        view.end();
      }
    };
    try {
      return own.onBase && this.base !== undefined
        ? await this.base.read(instance, combined)
        : await combined(undefined);
    } finally {
      for (const table of pinned) table.pins--;
    }
  }

  compare(model: ReadModel, left: string, right: string): Promise<Comparison> {
    return compareByReading(this, model, left, right);
  }

  async live(name: string): Promise<string | undefined> {
    this.#check();
    return this.#live.get(name) ?? this.base?.live(name);
  }

  async switchTo(name: string, instance: string): Promise<void> {
    this.#check();
    invariant(instance.startsWith(`${name}.`), `${instance} is no instance of ${name}`);
    const there = this.#instances.has(instance) || (await this.#isOnBase(instance));
    invariant(there, `there is no instance ${instance}`);
    this.#live.set(name, instance);
  }

  async instances(): Promise<readonly string[]> {
    this.#check();
    const below = (await this.base?.instances()) ?? [];
    const names = [...below.filter((it) => !this.#dropped.has(it)), ...this.#instances.keys()];
    return [...new Set(names)].sort();
  }

  async drop(instance: string): Promise<void> {
    const names = await this.instances();
    invariant(names.includes(instance), `there is no instance ${instance}`);
    const [name = ''] = instance.split('.');
    invariant((await this.live(name)) !== instance, `${instance} is live: switch to another first`);
    this.#instances.delete(instance);
    this.#dropped.add(instance);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#instances.clear();
  }

  async #isOnBase(instance: string): Promise<boolean> {
    if (this.base === undefined || this.#dropped.has(instance)) return false;
    return (await this.base.instances()).includes(instance);
  }

  async #baseCheckpoint(instance: string, partition: number, own: Instance | undefined): Promise<Checkpoint> {
    if (own !== undefined && (this.base === undefined || !own.onBase)) return AT_START;
    invariant(this.base !== undefined && !this.#dropped.has(instance), `there is no instance ${instance}`);
    return this.base.checkpoint(instance, partition);
  }

  #opened(instance: string): Instance {
    const opened = this.#instances.get(instance);
    invariant(opened !== undefined, `there is no instance ${instance} that was opened here`);
    return opened;
  }

  #check(): void {
    if (this.#closed) throw new ReadStoreUnavailable('STORE_CLOSED', 'the read store in memory is closed');
  }
}
