import type { CapitalIdentity, DistrictIdentity } from '../../projections/district-balances/capital-identity.js';
import { html, type Markup } from './html.js';
import { mark, type Point, pathOf, percentOf, picture, readable, stretched } from './picture.js';
import { districtName, type Pen, sourceOf } from './shown.js';
import { folded, table } from './table.js';

const ROW = 16;
const TOP = 20;
const NAMES = 0.16;

/** Each district's capital at each month's end, by its loans and by its fund's own stream: it holds, or is off by so much. */
export function identitySection(pen: Pen): Markup {
  const { texts, figures, shown } = pen;
  const { rows, totals, from } = shown.identity;
  const broken =
    rows.filter(({ holds }) => !holds).length +
    totals.filter(({ holds, difference }) => !holds && difference !== 0).length;
  const districts = new Set(rows.map(({ district }) => district));
  const says =
    rows.length === 0
      ? texts.identityEmpty
      : broken === 0
        ? texts.identityHolds(figures.whole(rows.length), String(districts.size), figures.month(from))
        : texts.identityBroken(figures.whole(broken));
  return html`<section id="identity" aria-labelledby="identity-name"><h2 id="identity-name">${texts.identity}</h2>
<p class="answer ${broken === 0 ? 'met' : 'missed'}" id="identity-says">${rows.length === 0 ? '' : broken === 0 ? '✓ ' : '▲ '}${says}</p>
<p class="note">${texts.identityNote}</p>
${rows.length === 0 ? '' : html`<figure>${dots(pen)}</figure>`}
${folded('identity-districts', `${texts.figuresOf}: ${texts.district.toLowerCase()}`, districtTable(pen))}
${folded('identity-months', `${texts.figuresOf}: ${texts.month.toLowerCase()}`, monthTable(pen))}
${sourceOf(pen, ['capital-identity'])}</section>`;
}

/** A dot a month end that holds, a triangle where it is off. */
function dots({ texts, figures, shown }: Pen): Markup {
  const { rows, totals } = shown.identity;
  const districts = [...new Set(rows.map(({ district }) => district))].sort();
  const months = [...new Set(rows.map(({ month }) => month))].sort();
  const height = TOP + districts.length * ROW;
  const slot = (1 - NAMES) / Math.max(months.length, 12);
  const across = (month: string) => NAMES + (months.indexOf(month) + 0.5) * slot;
  const down = (district: string) => TOP + districts.indexOf(district) * ROW + ROW / 2;
  const placeOf = ({ month, district }: DistrictIdentity): Point => [across(month), down(district)];
  const [held, broken] = [rows.filter(({ holds }) => holds), rows.filter(({ holds }) => !holds)];
  const drawn = html`${months
    .filter((month, index) => index === 0 || month.endsWith('-01'))
    .map(
      (month) =>
        html`<text class="label" x="${percentOf(across(month) - slot / 2)}" y="12">${month.endsWith('-01') ? month.slice(0, 4) : figures.month(month)}</text>`,
    )}
${districts.map((district) => html`<text class="label" x="0" y="${down(district) + 4}">${districtName(district)}</text>`)}
${stretched(height, html`<path class="dots" d="${held.map((row) => `${pathOf([placeOf(row)])}h0`).join('')}"></path>`)}
${broken.map((row) => mark(...placeOf(row), html`<path class="mark missed" d="M0 -6L6 5H-6Z"></path>`))}`;
  const strips = totals.map(({ month, funded, outstanding, writtenOff, idle, unallocated, difference, holds }) => ({
    ...{ from: across(month) - slot / 2, to: across(month) + slot / 2 },
    says: `${figures.month(month)}: ${texts.funded.toLowerCase()} ${figures.whole(funded)} = ${texts.outstanding.toLowerCase()} ${figures.whole(outstanding)} + ${texts.writtenOff.toLowerCase()} ${figures.whole(writtenOff)} + ${texts.idle.toLowerCase()} ${figures.whole(idle)} + ${texts.unallocated.toLowerCase()} ${figures.whole(unallocated)}, ${holds ? texts.matches : texts.off(figures.money(difference))}`,
  }));
  const says = texts.dotsSays(figures.whole(held.length), figures.whole(rows.length));
  return readable(
    'identity-dots',
    texts.pointAt,
    picture({ id: 'identity-dots', name: texts.identity, says, height }, drawn),
    strips,
    height,
  );
}

function matched(
  { texts, figures }: Pen,
  { holds, difference }: { readonly holds: boolean; readonly difference: number | string },
): Markup {
  return holds
    ? html`<span class="met"><span aria-hidden="true">✓</span> ${texts.matches}</span>`
    : html`<span class="missed"><span aria-hidden="true">▲</span> ${texts.off(figures.money(difference))}</span>`;
}

/** Each district at the last month's end, and at how many ends before and with it the identity held. */
function districtTable(pen: Pen): Markup {
  const { texts, figures, shown } = pen;
  const { rows, totals } = shown.identity;
  const last = totals.at(-1);
  const ends = endsOf(rows);
  const latest = rows.filter(({ month }) => month === last?.month);
  const sum = (of: (row: DistrictIdentity) => number | string) =>
    String(latest.reduce((all, row) => all + BigInt(of(row)), 0n));
  const { allocated, outstanding, writtenOff, idle, byLoans, byFund, difference } = texts;
  return table('identity-table', {
    caption: `${texts.identity}, ${last === undefined ? '' : figures.day(last.asOf)} (${texts.dong})`,
    columns: [
      { name: texts.district, kind: 'text' },
      ...[allocated, outstanding, writtenOff, idle, byLoans, byFund].map((name) => ({ name, kind: 'number' as const })),
      ...[difference, texts.ends].map((name) => ({ name, kind: 'text' as const })),
    ],
    lines: latest.map((row) => ({
      cells: [
        districtName(row.district),
        ...[row.allocated, row.outstanding, row.writtenOff, row.idle, row.available, row.fundBalance].map(
          figures.whole,
        ),
        ...[matched(pen, row), ends.get(row.district) ?? ''],
      ],
    })),
    ...(last === undefined
      ? {}
      : {
          total: {
            cells: [
              texts.total,
              ...[last.allocated, last.outstanding, last.writtenOff, last.idle].map(figures.whole),
              ...[sum((row) => row.available), sum((row) => row.fundBalance)].map(figures.whole),
              ...[matched(pen, last), `${rows.filter(({ holds }) => holds).length}/${rows.length}`],
            ],
          },
        }),
  });
}

function endsOf(rows: CapitalIdentity['rows']): ReadonlyMap<string, string> {
  const ends = new Map<string, { held: number; all: number }>();
  for (const { district, holds } of rows) {
    const of = ends.get(district) ?? { held: 0, all: 0 };
    ends.set(district, { held: of.held + (holds ? 1 : 0), all: of.all + 1 });
  }
  return new Map([...ends].map(([district, { held, all }]) => [district, `${held}/${all}`]));
}

/** The whole programme at each month's end: what was funded, and where it is. */
function monthTable(pen: Pen): Markup {
  const { texts, figures, shown } = pen;
  const { funded, allocated, unallocated, inTransit, outstanding, writtenOff, idle } = texts;
  const names = [funded, allocated, unallocated, inTransit, outstanding, writtenOff, idle];
  return table('identity-months-table', {
    long: true,
    caption: `${texts.identity} (${texts.dong})`,
    columns: [
      { name: texts.month, kind: 'text' },
      ...names.map((name) => ({ name, kind: 'number' as const })),
      { name: texts.difference, kind: 'text' },
    ],
    lines: shown.identity.totals.map((row) => ({
      cells: [
        figures.month(row.month),
        ...[row.funded, row.allocated, row.unallocated, row.inTransit, row.outstanding, row.writtenOff, row.idle].map(
          figures.whole,
        ),
        matched(pen, row),
      ],
    })),
  });
}
