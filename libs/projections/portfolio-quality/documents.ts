import type { Collection } from '../../read-store/port.js';
import { type Cube, cells, cube } from '../cube.js';

/* Storage format: change with care. A change of anything here is a new version, rebuilt beside the live one. */

export const VERSION = 1;

export const DIMENSIONS = ['district', 'massOrganisation', 'borrowerClass', 'programme', 'source'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

const LEVELS = {
  all: ['programme', 'source'],
  district: ['programme', 'source', 'district'],
  /** Who borrows, wherever: five organisations times eleven classes. */
  kind: ['programme', 'source', 'massOrganisation', 'borrowerClass'],
  full: ['programme', 'source', 'district', 'massOrganisation', 'borrowerClass'],
} as const satisfies Record<string, readonly Dimension[]>;

/**
 * The choice of roll-ups: what each level of breakdown keeps, a letter an axis (`e`ver, `m`onth, `d`ay). Fewer cuts
 * make writing cheaper, more make reading cheaper; nothing else depends on it. Today's knowledge reads `e`; what was
 * known before reads the rest. The finer the key, the nearer its cells come to one an event, and the less a coarser
 * cut saves.
 */
const CUTS = {
  /** By recorded and value day. */
  quality: {
    all: ['em', 'ed', 'mm', 'md', 'dm', 'dd'],
    district: ['em', 'ed', 'mm', 'md', 'dm', 'dd'],
    kind: ['em', 'ed', 'mm', 'dd'],
    full: ['em', 'ed', 'dd'],
  },
  /** By recorded, value and due day, of late receipts only: one in some dozens of payments of principal. */
  late: {
    all: ['emm', 'emd', 'edm', 'edd', 'ddd'],
    district: ['emm', 'emd', 'edm', 'edd', 'ddd'],
    kind: ['edd', 'ddd'],
    full: ['edd', 'ddd'],
  },
} as const satisfies Record<string, Record<keyof typeof LEVELS, readonly string[]>>;

const levels = Object.keys(LEVELS) as (keyof typeof LEVELS)[];

/** Smallest first. */
export const QUALITY: readonly Cube<Dimension>[] = levels.map((level) =>
  cube<Dimension>({ collection: `quality_${level}`, dimensions: LEVELS[level], cuts: CUTS.quality[level] }),
);
/** Principal received after its due day, with that day as a coordinate. */
export const LATE: readonly Cube<Dimension>[] = levels.map((level) =>
  cube<Dimension>({ collection: `late_${level}`, dimensions: LEVELS[level], cuts: CUTS.late[level] }),
);

/** Sums up to a value date: parts paid out, loans with outstanding above zero, and đồng. */
export const STOCKS = ['parts', 'loans', 'outstanding', 'overdue', 'par0', 'par30', 'par90'] as const;
/** Sums over a period, đồng: `collected` is what was received on its due day or after. */
export const FLOWS = ['fellDue', 'collected', 'prepaid'] as const;
export const RECOVERED = 'recovered';
export type Measure = (typeof STOCKS)[number] | (typeof FLOWS)[number];

export const PROGRAMMES = 'programmes';

const programmes: Collection = {
  name: PROGRAMMES,
  key: { programme: 'text' },
  /** The targets as the plan has them, and the day on which they were recorded. */
  fields: { recorded: 'text', targets: 'json' },
};

export const collections: readonly Collection[] = [
  ...QUALITY.map((of) => cells(of, [...STOCKS, ...FLOWS])),
  ...LATE.map((of) => cells(of, [RECOVERED])),
  programmes,
];
