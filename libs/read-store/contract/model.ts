import type { Batch, Change, Checkpoint, Find, Found, MeasureValue, ReadModel, ReadStore, Sum } from '../port.js';
import { AT_START } from '../port.js';

/** The read model of the contract's cases: one collection of each kind. */
export const MODEL: ReadModel = {
  name: 'quality',
  version: 1,
  collections: [
    {
      name: 'cells',
      key: { district: 'text', day: 'text', bucket: 'integer' },
      measures: ['amount', 'loans'],
      indexes: [['day']],
    },
    {
      name: 'loans',
      key: { loan: 'text', part: 'integer' },
      fields: { district: 'text', days: 'integer', terms: 'json' },
      indexes: [['district', 'days'], ['days']],
    },
  ],
};

export const INSTANCE = 'quality.1';

export const at = (sequence: number): Checkpoint =>
  sequence === 0 ? AT_START : { sequence, position: sequence.toString().padStart(8, '0') };

export function batch(from: number, to: number, changes: readonly Change[], partition = 0, model = INSTANCE): Batch {
  return { model, partition, from: at(from), to: at(to), changes };
}

export function add(
  district: string,
  day: string,
  amount: MeasureValue,
  loans: MeasureValue = 0,
  bucket = 0,
): Change & { readonly op: 'add' } {
  return { op: 'add', collection: 'cells', key: { district, day, bucket }, measures: { amount, loans } };
}

export function put(loan: string, fields: Readonly<Record<string, unknown>> = {}, part = 0): Change {
  return { op: 'put', collection: 'loans', key: { loan, part }, fields };
}

export const remove = (loan: string, part = 0): Change => ({ op: 'remove', collection: 'loans', key: { loan, part } });

export const ALL: Sum = { where: [{}], by: [], measures: ['amount', 'loans'] };

export const sumOf = (store: ReadStore, sum: Sum = ALL, instance = INSTANCE): ReturnType<SumOfView> =>
  store.read(instance, (view) => view.sum('cells', sum));

export const foundIn = (store: ReadStore, find: Find = {}, collection = 'loans'): Promise<Found[]> =>
  store.read(INSTANCE, async (view) => collect(view.find(collection, find)));

export const loansOf = async (store: ReadStore, find: Find = {}): Promise<unknown[]> =>
  (await foundIn(store, find)).map(({ loan }) => loan);

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

type SumOfView = (
  collection: string,
  sum: Sum,
) => Promise<readonly Readonly<Record<string, string | number | bigint>>[]>;
