import type { Change, ReadModel, ReadStore } from '../read-store/port.js';
import type { FollowerStatus } from './answers.js';

const MARKS = 'marks';
const model: ReadModel = {
  name: 'projector-marks',
  version: 1,
  collections: [{ name: MARKS, key: { kind: 'text', model: 'text', partition: 'integer' }, fields: { value: 'json' } }],
};
const INSTANCE = `${model.name}.${model.version}`;
/** Positions have a fixed width: here they are the number of the mark. */
const DIGITS = 20;

/** What stopped a read model in one partition. Removing it is what asks for another try. */
export interface HaltedMark {
  readonly kind: 'halted';
  readonly model: string;
  readonly partition: number;
  readonly value: NonNullable<FollowerStatus['halted']>;
}

/** A read model that is being rebuilt: while it is `paused`, no projector takes it further. Ends by itself at `until`. */
export interface RebuildMark {
  readonly kind: 'rebuild';
  readonly model: string;
  readonly partition: 0;
  readonly value: { readonly instance: string; readonly paused: boolean; readonly until: number };
}

export type Mark = HaltedMark | RebuildMark;

/**
 * What the projectors of a ledger, and whoever shows or rebuilds its read models, tell one another: a few documents in
 * the read store, written by anyone by compare-and-set. No process needs the address of another.
 */
export class Marks {
  constructor(private readonly readStore: ReadStore) {}

  open(): Promise<void> {
    return this.readStore.open(INSTANCE, model);
  }

  async all(): Promise<readonly Mark[]> {
    return this.readStore.read(INSTANCE, async (view) => {
      const marks: Mark[] = [];
      // Written below.
      for await (const found of view.find(MARKS)) marks.push(found as unknown as Mark);
      return marks;
    });
  }

  put(mark: Mark): Promise<void> {
    return this.#write(putting(mark));
  }

  /** Puts a mark unless `check` throws at those that stand: of two who claim at once, one reads again. */
  claim(mark: Mark, check: (standing: readonly Mark[]) => void): Promise<void> {
    return this.#write(putting(mark), check);
  }

  remove({ kind, model: of, partition }: Pick<Mark, 'kind' | 'model' | 'partition'>): Promise<void> {
    return this.#write({ op: 'remove', collection: MARKS, key: { kind, model: of, partition } });
  }

  async #write(change: Change, check?: (standing: readonly Mark[]) => void): Promise<void> {
    for (;;) {
      const from = await this.readStore.checkpoint(INSTANCE, 0);
      check?.(await this.all());
      const sequence = from.sequence + 1;
      const to = { sequence, position: String(sequence).padStart(DIGITS, '0') };
      const applied = await this.readStore.apply({ model: INSTANCE, partition: 0, from, to, changes: [change] });
      if (applied.outcome === 'applied') return;
      if (applied.inFlight === undefined) continue;
      // Somebody died in the middle of a mark: it is there or not, and either is as good.
      const { checkpoint, inFlight } = applied;
      await this.readStore.apply({ model: INSTANCE, partition: 0, from: checkpoint, to: inFlight, changes: [] });
    }
  }
}

const putting = ({ kind, model: of, partition, value }: Mark): Change => ({
  op: 'put',
  collection: MARKS,
  key: { kind, model: of, partition },
  fields: { value },
});
