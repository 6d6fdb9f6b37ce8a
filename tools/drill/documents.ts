import type { EventStore } from '../../libs/event-store/port.js';
import type { ReadModel, ReadStore } from '../../libs/read-store/port.js';

/* What two ledgers hold, said so that one on other stores, with other partitions, says the same. */

/**
 * The documents of a read model as text, in order, added up over partitions. Where an event stands is told by its
 * stream and revision: stores number it differently, and order between streams is not part of what happened.
 */
export async function documents(
  readStore: ReadStore,
  { name, collections }: ReadModel,
  placeOf: ReadonlyMap<string, string>,
): Promise<readonly string[]> {
  const place = (_: string, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value === 'string') return placeOf.get(value) ?? value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    // JSON is compared by its value: stores keep its members in orders of their own.
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  const live = await readStore.live(name);
  if (live === undefined) throw new Error(`${name} is live`);
  return readStore.read(live, async (view) => {
    const lines: string[] = [];
    for (const { name: collection, measures, fields = {}, key } of collections) {
      for await (const found of view.find(collection)) {
        if (measures?.every((measure) => !found[measure])) continue;
        const names = [...Object.keys(key), ...(measures ?? Object.keys(fields))].sort();
        lines.push(
          `${collection} ${JSON.stringify(
            names.map((it) => found[it] ?? null),
            place,
          )}`,
        );
      }
    }
    return lines.sort();
  });
}

export async function placesOf(store: EventStore): Promise<ReadonlyMap<string, string>> {
  const places = new Map<string, string>();
  for await (const { position, stream, revision } of store.readAll()) places.set(position, `${stream}@${revision}`);
  return places;
}
