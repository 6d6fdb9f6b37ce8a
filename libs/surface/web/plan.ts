import { html, type Markup } from './html.js';
import { mark, percentOf, picture, readable } from './picture.js';
import { type Pen, sourceOf } from './shown.js';
import { table } from './table.js';

const ROW = 34;
const NAME = 0.1;
/** What is left for the figure behind the longest bar. */
const BEHIND = 0.28;

/** A year a bar: the actual, and the plan as a line across it. */
export function planSection(pen: Pen): Markup {
  const { texts, shown, figures } = pen;
  const { rows, total } = shown.plan;
  const bars = (id: string, name: string, plan: 'planned' | 'jobsTarget', done: 'funded' | 'jobsCreated') => {
    const text = plan === 'planned' ? figures.rounded : figures.whole;
    const years = rows.map((row) => ({ year: row.year, plan: Number(row[plan]), done: Number(row[done]) }));
    return html`<figure><figcaption>${name}</figcaption>${yearBars(pen, { id, name, years, text })}</figure>`;
  };
  const cells = (name: string, of: typeof total) => [
    name,
    ...[of.planned, of.funded, of.allocated, of.disbursed, of.recovered, of.jobsTarget, of.jobsCreated].map(
      figures.whole,
    ),
  ];
  const { year, planned, funded, allocated, disbursed, recovered, jobsTarget, jobsCreated } = texts;
  const names = [planned, funded, allocated, disbursed, recovered, jobsTarget, jobsCreated];
  return html`<section id="plan" aria-labelledby="plan-name"><h2 id="plan-name">${texts.plan}</h2>
<div class="two">${bars('plan-capital', texts.capital, 'planned', 'funded')}${bars('plan-jobs', texts.jobs, 'jobsTarget', 'jobsCreated')}</div>
${table('plan-table', {
  caption: `${texts.plan} (${texts.dong})`,
  columns: [{ name: year, kind: 'text' }, ...names.map((name) => ({ name, kind: 'number' as const }))],
  lines: rows.map((row) => ({ cells: cells(String(row.year), row) })),
  total: { cells: cells(texts.total, total) },
})}
${sourceOf(pen, ['capital-plan'])}</section>`;
}

interface Bars {
  readonly id: string;
  readonly name: string;
  readonly years: readonly { readonly year: number; readonly plan: number; readonly done: number }[];
  readonly text: (value: number) => string;
}

function yearBars({ texts, figures }: Pen, { id, name, years, text }: Bars): Markup {
  const most = Math.max(1, ...years.flatMap(({ plan, done }) => [plan, done]));
  const wide = (value: number) => (value / most) * (1 - NAME - BEHIND);
  const height = years.length * ROW;
  const drawn = years.map(({ year, plan, done }, index) => {
    const top = index * ROW;
    const end = NAME + Math.max(wide(done), wide(plan));
    return html`<text class="label" x="0" y="${top + 22}">${year}</text>
<rect class="whole" x="${percentOf(NAME)}" width="${percentOf(wide(plan))}" y="${top + 8}" height="18"></rect>
<rect class="done" x="${percentOf(NAME)}" width="${percentOf(wide(done))}" y="${top + 12}" height="10"></rect>
${mark(NAME + wide(plan), top + 6, html`<rect class="target" x="-1" width="2" height="22"></rect>`)}
${mark(end, top + 22, html`<text class="value" x="8">${text(done)}</text>`)}`;
  });
  const strips = years.map(({ year, plan, done }, index) => ({
    from: 0,
    to: 1,
    top: index * ROW,
    height: ROW,
    says: texts.barOf(
      String(year),
      text(done),
      text(plan),
      plan === 0 ? texts.none : figures.percent((done / plan).toFixed(4)),
    ),
  }));
  return readable(id, texts.pointAt, picture({ id, name, says: texts.planSays(name), height }, drawn), strips, height);
}
