import type { MonthOfQuality } from '../../projections/portfolio-quality/by-month.js';
import { html, type Markup } from './html.js';
import {
  type Frame,
  mark,
  type Point,
  pathOf,
  percentOf,
  picture,
  readable,
  type Scales,
  scalesOf,
  stretched,
} from './picture.js';
import { type Pen, sourceOf, verdict } from './shown.js';
import { folded, table } from './table.js';

/** The plan's bounds (plan 159/KH-UBND); whether one is met is said by the query, which knows each programme's own. */
const COLLECTION_RATE_AT_LEAST = 0.98;
const OVERDUE_RATIO_BELOW = 0.0005;

const FRAME: Frame = { height: 210, left: 0.02, right: 0.02, top: 30, bottom: 26 };

/** Two pictures, a month a mark: the collection rate over its bound, the overdue ratio under its own. */
export function monthsSection(pen: Pen): Markup {
  const { texts, shown } = pen;
  const { from } = shown.months;
  const rate: Series = {
    ...{
      id: 'months-rate',
      name: texts.collectionRate,
      bound: COLLECTION_RATE_AT_LEAST,
      boundText: texts.collectionBound,
    },
    valueOf: (row) => row.collectionRate,
    meets: (row) => row.meetsCollectionRate,
    range: (values) => [Math.min(0.96, ...values) - 0.005, 1.002],
  };
  const ratio: Series = {
    ...{ id: 'months-ratio', name: texts.overdueRatio, bound: OVERDUE_RATIO_BELOW, boundText: texts.overdueBound },
    valueOf: (row) => row.overdueRatio,
    meets: (row) => row.meetsOverdueRatio,
    range: (values) => [0, Math.max(OVERDUE_RATIO_BELOW * 1.6, ...values) * 1.1],
  };
  return html`<section id="months" aria-labelledby="months-name"><h2 id="months-name">${texts.months}</h2>
<div class="two">${[rate, ratio].map((series) => html`<figure><figcaption>${series.name}</figcaption>${chart(pen, series)}</figure>`)}</div>
<p class="note">${texts.monthsNote}</p>
${folded('months', texts.figuresOf, monthsTable(pen))}
${sourceOf(pen, ['portfolio-quality-by-month', { from }])}</section>`;
}

interface Series {
  readonly id: string;
  readonly name: string;
  readonly bound: number;
  readonly boundText: string;
  readonly valueOf: (row: MonthOfQuality) => string | null;
  readonly meets: (row: MonthOfQuality) => boolean | null;
  readonly range: (values: readonly number[]) => readonly [number, number];
}

function chart(pen: Pen, series: Series): Markup {
  const { texts, shown, figures } = pen;
  const { rows } = shown.months;
  const known = rows.filter((row) => series.valueOf(row) !== null);
  if (known.length === 0) return html`<p class="note">${texts.unknown}</p>`;
  const values = known.map((row) => Number(series.valueOf(row)));
  const scales = scalesOf(FRAME, series.range(values));
  const slot = (index: number) => scales.across((index + 0.5) / rows.length);
  const points: Point[] = rows.flatMap((row, index) => {
    const value = series.valueOf(row);
    return value === null ? [] : [[slot(index), scales.down(Number(value))] as const];
  });
  const met = rows.filter((row) => series.meets(row) === true).length;
  const judged = rows.filter((row) => series.meets(row) !== null).length;
  const drawn = html`${boundLine(series, scales)}${years(rows, scales)}
${stretched(FRAME.height, html`<path class="line" d="${pathOf(points)}"></path>`)}
${known.map((row, index) => monthMark(series.meets(row), points[index] ?? [0, 0]))}${lastLabel(pen, series, known, points)}`;
  const says = texts.monthsSays(series.name, String(met), String(judged));
  const strips = rows.map((row, index) => ({
    from: scales.across(index / rows.length),
    to: scales.across((index + 1) / rows.length),
    says: `${figures.month(row.month)}: ${figures.percent(series.valueOf(row))} ${wordOf(pen, series.meets(row))}`,
  }));
  const { id, name } = series;
  return readable(id, texts.pointAt, picture({ id, name, says, height: FRAME.height }, drawn), strips, FRAME.height);
}

const wordOf = ({ texts }: Pen, meets: boolean | null): string =>
  meets === null ? '' : `(${(meets ? texts.met : texts.missed).toLowerCase()})`;

function boundLine({ bound, boundText }: Series, { down }: Scales): Markup {
  const at = down(bound);
  return html`<line class="bound" x1="0" x2="100%" y1="${at}" y2="${at}"></line><text class="bound-name" x="0" y="${at - 6}">${boundText}</text>`;
}

/** The first month of each year is named; in a short row, every third month. */
function years(rows: readonly MonthOfQuality[], { across }: Scales): Markup {
  const base = FRAME.height - FRAME.bottom;
  const named = rows.flatMap(({ month }, index) => {
    const begins = month.endsWith('-01') || index === 0;
    const text = month.endsWith('-01') ? month.slice(0, 4) : `${month.slice(5)}/${month.slice(0, 4)}`;
    return begins ? [{ text, at: across(index / rows.length) }] : [];
  });
  // The ledger's first month is not named where the next year begins beside it.
  const shown = named.filter(({ at }, index) => index > 0 || (named[1]?.at ?? 1) - at > 0.12);
  return html`<line class="axis" x1="0" x2="100%" y1="${base}" y2="${base}"></line>${shown.map(
    ({ text, at }) =>
      html`<line class="tick" x1="${percentOf(at)}" x2="${percentOf(at)}" y1="${base}" y2="${base + 5}"></line><text class="label" x="${percentOf(at)}" y="${base + 19}" text-anchor="${at > 0.9 ? 'end' : 'start'}">${text}</text>`,
  )}`;
}

const monthMark = (meets: boolean | null, [share, down]: Point): Markup =>
  mark(
    share,
    down,
    meets === false
      ? html`<path class="mark missed" d="M0 -5.5L5 4H-5Z"></path>`
      : html`<circle class="mark ${meets === null ? 'unknown' : 'met'}" r="3"></circle>`,
  );

function lastLabel(
  { figures }: Pen,
  series: Series,
  known: readonly MonthOfQuality[],
  points: readonly Point[],
): Markup {
  const [row, point] = [known.at(-1), points.at(-1)];
  if (row === undefined || point === undefined) return html``;
  const [share, down] = point;
  return html`<text class="value" x="${percentOf(share)}" y="${down < 40 ? down + 20 : down - 10}" text-anchor="${share > 0.2 ? 'end' : 'start'}">${figures.percent(series.valueOf(row))}</text>`;
}

function monthsTable(pen: Pen): Markup {
  const { texts, figures, shown } = pen;
  const number = (name: string) => ({ name, kind: 'number' as const });
  return table('months-table', {
    long: true,
    caption: `${texts.months} (${texts.dong})`,
    columns: [
      { name: texts.month, kind: 'text' },
      ...[texts.fellDue, texts.collectedOfDue, texts.collectionRate].map(number),
      { name: texts.verdict, kind: 'text' },
      ...[texts.outstanding, texts.overdue, texts.overdueRatio].map(number),
      { name: texts.verdict, kind: 'text' },
    ],
    lines: shown.months.rows.map((row) => ({
      cells: [
        figures.month(row.month),
        ...[figures.whole(row.fellDue), figures.whole(row.collectedOfDue), figures.percent(row.collectionRate)],
        verdict(pen, row.meetsCollectionRate),
        ...[figures.whole(row.outstanding), figures.whole(row.overdue), figures.percent(row.overdueRatio)],
        verdict(pen, row.meetsOverdueRatio),
      ],
    })),
  });
}
