import type { LocalDate } from '../kernel/dates.js';
import type { StoredOf } from '../kernel/decider.js';
import type { Envelope } from '../kernel/envelope.js';
import type { DataOf, Fields } from '../kernel/fields.js';
import type { events } from '../lending/catalogue.js';
import type { Change, ReadModel, ReadView } from '../read-store/port.js';

export type Stored = StoredOf<typeof events>;

/** Every event of the catalogue, with what it changes or the word that it changes nothing: a new one fails to compile. */
export type ProjectionTable = {
  readonly [Type in Stored['type']]:
    | 'ignored'
    | ((event: Extract<Stored, { readonly type: Type }>) => readonly Change[]);
};

/** One read model: its storage format and how events change it. Pure: it reads nothing, not even itself. */
export interface Projection extends ReadModel {
  readonly project: ProjectionTable;
  /**
   * What a folded batch comes to in the collections: where it is there, `project` gives only the finest changes, and
   * what is coarser is told from them once a batch rather than once an event. One change a document.
   */
  readonly rollUp?: (folded: readonly Change[]) => readonly Change[];
}

/** What an event of today's version changes. Throws on one that the projection cannot take: it is money, never skipped. */
export function project(projection: Projection, event: Envelope): readonly Change[] {
  // The table's own key tells the event's type apart.
  const entry = projection.project[event.type as Stored['type']] as
    | 'ignored'
    | ((event: Envelope) => readonly Change[])
    | undefined;
  if (entry === undefined) throw new Error(`${projection.name} has no line for ${event.type}`);
  return entry === 'ignored' ? [] : entry(event);
}

/** A projection as it is followed. */
export const followedAs = (projection: Projection) => ({
  model: projection,
  project: (event: Envelope) => project(projection, event),
  ...(projection.rollUp === undefined ? {} : { rollUp: projection.rollUp }),
});

/** What every query is told beside its own parameters. */
export interface AsOf {
  /** Value dates up to the end of this day count. */
  readonly asOf: LocalDate;
  /** What was recorded up to the end of this day, in Asia/Ho_Chi_Minh, is known; null: everything. */
  readonly knownOn: LocalDate | null;
  /** The day of the clock: what `knownOn` is shown as when everything is known. */
  readonly today: LocalDate;
}

/** One query: its parameters said once, and how it reads the read model of the room that it stands in. */
export interface Query<P extends Fields = Fields, Answer = unknown> {
  /** `portfolio-quality`: the route, the verb and the room. */
  readonly name: string;
  readonly summary: string;
  /** The read model that it reads. */
  readonly model: string;
  readonly parameters: P;
  /** An answer, or null where there is nothing of that name (404 with `missing`). */
  run(view: ReadView, parameters: DataOf<P>, at: AsOf): Promise<Answer | null>;
  /** The code of the refusal that null stands for. */
  readonly missing?: string;
  /** The list of the answer that CSV has as its rows; without it the answer has one row. */
  readonly rows?: string;
}
