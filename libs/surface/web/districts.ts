import type { BalanceFigures } from '../../projections/district-balances/query.js';
import type { QualityFigures } from '../../projections/portfolio-quality/query.js';
import { html, type Markup, type Part } from './html.js';
import { districtName, type Pen, sourceOf } from './shown.js';
import { table } from './table.js';
import { TILES } from './tiles.js';

/** The upper ends of the tiles' shades of the overdue ratio; the first is nothing overdue. */
const LEVELS = [0, 0.0005, 0.005, 0.05];

interface District {
  readonly code: string;
  readonly balance: BalanceFigures | null;
  readonly quality: QualityFigures | null;
}

/** The districts where they lie, and in a table whose rows add up. */
export function districtsSection(pen: Pen): Markup {
  const { texts, shown } = pen;
  const balances = new Map(shown.balances.rows.map((row) => [row.district, row]));
  const quality = new Map(shown.byDistrict.rows.map((row) => [row.district ?? '', row]));
  const of = (code: string): District => ({
    ...{ code, balance: balances.get(code) ?? null, quality: quality.get(code) ?? null },
  });
  return html`<section id="districts" aria-labelledby="districts-name"><h2 id="districts-name">${texts.districts}</h2>
<div class="map"><ul class="tiles" aria-label="${texts.tilesNote}">${Object.entries(TILES).map(([code, [column, row]]) => tile(pen, of(code), column, row))}</ul>
<div class="legend"><p class="note">${texts.tilesNote}</p><p class="legend-name">${texts.tilesLegend}</p>
<ul>${texts.levels.map((name, level) => html`<li><span class="swatch level-${level}"></span>${name}</li>`)}
<li><span class="swatch sign">▲</span>${texts.missesOverdue}</li><li><span class="swatch sign">▼</span>${texts.missesCollection}</li>
<li><span class="swatch absent"></span>${texts.notFunded}</li></ul></div></div>
${districtTable(
  pen,
  shown.balances.rows.map(({ district }) => of(district)),
)}
${sourceOf(pen, ['district-balances'], ['portfolio-quality', { by: 'district', from: shown.quality.from }])}</section>`;
}

function tile({ texts, figures }: Pen, { code, balance, quality }: District, column: number, row: number): Markup {
  const name = districtName(code);
  if (balance === null) {
    return html`<li class="tile absent column-${column} row-${row}"><span class="inside"><span class="name">${name}</span><span class="hidden">: ${texts.notFunded}</span></span></li>`;
  }
  const ratio = Number(quality?.overdueRatio ?? 0);
  const level = LEVELS.findIndex((end) => ratio <= end);
  return html`<li class="tile level-${level < 0 ? LEVELS.length : level} column-${column} row-${row}"><a class="inside" href="#district-${code}"><span class="name">${name}</span>${signs({ texts }, quality)}<span class="ratio">${figures.percentShort(quality?.overdueRatio)}</span><span class="lent"><span class="hidden">; ${texts.outstanding} </span>${figures.short(balance.outstanding)}</span></a></li>`;
}

function signs({ texts }: Pick<Pen, 'texts'>, quality: QualityFigures | null): Part {
  const sign = (missed: boolean, shape: string, says: string) =>
    missed
      ? html`<span class="sign" title="${says}"><span aria-hidden="true">${shape}</span><span class="hidden"> ${says} </span></span>`
      : '';
  return html`${sign(quality?.meetsOverdueRatio === false, '▲', texts.missesOverdue)}${sign(quality?.meetsCollectionRate === false, '▼', texts.missesCollection)}`;
}

function districtTable(pen: Pen, districts: readonly District[]): Markup {
  const { texts, figures, shown } = pen;
  const bounded = (value: string | null | undefined, meets: boolean | null | undefined, shape: string) =>
    meets === false
      ? html`<span class="missed"><span aria-hidden="true">${shape}</span><span class="hidden">${texts.missed}: </span> ${figures.percent(value)}</span>`
      : figures.percent(value);
  const cells = (name: string, balance: BalanceFigures | null, quality: QualityFigures | null): Part[] => [
    name,
    ...[balance?.allocated, balance?.disbursed, balance?.outstanding, balance?.idle].map((value) =>
      figures.whole(value ?? 0),
    ),
    figures.whole(quality?.overdue ?? 0),
    bounded(quality?.overdueRatio, quality?.meetsOverdueRatio, '▲'),
    bounded(quality?.collectionRate, quality?.meetsCollectionRate, '▼'),
    figures.whole(quality?.loans ?? 0),
  ];
  const { allocated, disbursed, outstanding, idle, overdue, overdueRatio, collectionRate, loans } = texts;
  const names = [allocated, disbursed, outstanding, idle, overdue, overdueRatio, collectionRate, loans];
  return table('districts-table', {
    caption: `${texts.districts} (${texts.dong})`,
    columns: [{ name: texts.district, kind: 'text' }, ...names.map((name) => ({ name, kind: 'number' as const }))],
    lines: districts.map(({ code, balance, quality }) => ({
      id: `district-${code}`,
      cells: cells(districtName(code), balance, quality),
    })),
    total: { cells: cells(texts.total, shown.balances.total, shown.byDistrict.total) },
  });
}
