import { dayNumber, type LocalDate, yearOf } from '../../kernel/dates.js';
import type { CapitalPlan } from '../../projections/capital-plan/query.js';
import { html, type Markup } from './html.js';
import { percentOf } from './picture.js';
import { districtName, type FirstPen, type Pen, sourceOf, verdict } from './shown.js';

/* Four questions, each answered in one look: on plan, collecting, who is in trouble, do the books agree. */

/** As many districts as are named at once. */
const NAMED = 5;

/** The first three, which are painted while the figures of the books are found. The section goes on. */
export function glanceFirst(pen: FirstPen): Markup {
  const { texts } = pen;
  return html`<section id="glance" aria-labelledby="glance-name"><h2 id="glance-name">${texts.glance}</h2>
<div class="cards">${onPlan(pen)}${collecting(pen)}${inTrouble(pen)}`;
}

export function glanceRest(pen: Pen): Markup {
  const { from } = pen.shown.quality;
  return html`${balanced(pen)}</div>
${sourceOf(pen, ['capital-plan'], ['portfolio-quality', { by: 'district', from }], ['capital-identity'])}</section>`;
}

// --------------------------------------------------------------------------------------------------------- the plan

interface Progress {
  readonly done: number;
  readonly plan: number;
  /** What an even pace would have come to. */
  readonly pace: number;
}

/** Whole years count whole, the year of the day by the days that have passed of it. */
function progressOf(plan: CapitalPlan, target: 'planned' | 'jobsTarget', actual: 'funded' | 'jobsCreated'): Progress {
  const year = yearOf(plan.asOf);
  const [begin, end] = [dayNumber(`${year}-01-01` as LocalDate), dayNumber(`${year + 1}-01-01` as LocalDate)];
  const passed = (dayNumber(plan.asOf) + 1 - begin) / (end - begin);
  const pace = plan.rows.reduce((sum, row) => {
    const share = row.year < year ? 1 : row.year > year ? 0 : passed;
    return sum + Number(row[target]) * share;
  }, 0);
  return { done: Number(plan.total[actual]), plan: Number(plan.total[target]), pace: Math.floor(pace) };
}

function onPlan(pen: FirstPen): Markup {
  const { texts, figures, shown } = pen;
  const { plan } = shown;
  const [capital, jobs] = [progressOf(plan, 'planned', 'funded'), progressOf(plan, 'jobsTarget', 'jobsCreated')];
  const there = capital.plan > 0 || jobs.plan > 0;
  const holds = there ? capital.done >= capital.pace && jobs.done >= jobs.pace : null;
  const answer = holds === null ? texts.unknown : holds ? html`✓ ${texts.onPlanYes}` : html`▲ ${texts.onPlanNo}`;
  const bar = (name: string, of: Progress, text: (value: number) => string) => html`
<p class="bar-name">${name} <strong>${text(of.done)}</strong> / ${text(of.plan)} ${of.plan === 0 ? '' : paceSign(pen, of)}</p>${progressBar(of)}`;
  return html`<article class="card ${stateOf(holds)}" id="on-plan"><h3>${texts.onPlan}</h3><p class="answer">${answer}</p>
${bar(texts.capital, capital, figures.rounded)}${bar(texts.jobs, jobs, figures.whole)}
<p class="note">${texts.paceLine(figures.day(plan.asOf), figures.rounded(capital.pace), figures.whole(jobs.pace))}</p></article>`;
}

const paceSign = ({ texts }: FirstPen, { done, pace }: Progress): Markup =>
  done >= pace
    ? html`<span class="met" title="${texts.onPlanYes}"><span aria-hidden="true">✓</span><span class="hidden">${texts.onPlanYes}</span></span>`
    : html`<span class="missed" title="${texts.onPlanNo}"><span aria-hidden="true">▲</span><span class="hidden">${texts.onPlanNo}</span></span>`;

function progressBar({ done, plan, pace }: Progress): Markup {
  const most = Math.max(done, plan, 1);
  return html`<svg class="progress" aria-hidden="true" width="100%" height="14"><rect class="whole" y="3" width="${percentOf(plan / most)}" height="8"></rect><rect class="done" y="3" width="${percentOf(done / most)}" height="8"></rect><line class="pace" x1="${percentOf(pace / most)}" x2="${percentOf(pace / most)}" y1="0" y2="14"></line></svg>`;
}

// ----------------------------------------------------------------------------------------------------- the two bounds

function collecting(pen: FirstPen): Markup {
  const { texts, figures, shown } = pen;
  const { total, from } = shown.quality;
  const both = [total.meetsCollectionRate, total.meetsOverdueRatio];
  const holds = both.includes(false) ? false : both.every((meets) => meets === null) ? null : true;
  return html`<article class="card ${stateOf(holds)}" id="collecting"><h3>${texts.collecting}</h3>
<p class="figure"><span class="big" id="collection-rate">${figures.percent(total.collectionRate)}</span> ${verdict(pen, total.meetsCollectionRate)}</p>
<p class="what">${texts.collectionRate} (${texts.collectionBound})</p>
<p class="note">${texts.sinceLine(figures.day(from), figures.rounded(total.collectedOfDue), figures.rounded(total.fellDue))}</p>
<p class="figure"><span class="big" id="overdue-ratio">${figures.percent(total.overdueRatio)}</span> ${verdict(pen, total.meetsOverdueRatio)}</p>
<p class="what">${texts.overdueRatio} (${texts.overdueBound})</p>
<p class="note">${texts.overdueLine(figures.rounded(total.overdue), figures.rounded(total.outstanding))}</p></article>`;
}

// --------------------------------------------------------------------------------------------------- who is in trouble

function inTrouble(pen: FirstPen): Markup {
  const { texts, figures, shown } = pen;
  const { rows } = shown.byDistrict;
  const missing = rows
    .filter((row) => row.meetsOverdueRatio === false || row.meetsCollectionRate === false)
    .sort((a, b) => Number(b.overdue) - Number(a.overdue));
  const items = missing.slice(0, NAMED).map((row) => {
    const { district = '' } = row;
    const ratio = figures.percent(row.overdueRatio);
    const rate = figures.percent(row.collectionRate);
    return html`<li><a href="#district-${district}">${districtName(district)}</a><span>${
      row.meetsOverdueRatio === false ? html`<span class="missed">▲ ${texts.overdueShort} ${ratio}</span> ` : ''
    }${row.meetsCollectionRate === false ? html`<span class="missed">▼ ${texts.collectedShort} ${rate}</span>` : ''}</span></li>`;
  });
  const rest = missing.length - items.length;
  const holds = rows.length === 0 ? null : missing.length === 0;
  return html`<article class="card ${stateOf(holds)}" id="trouble"><h3>${texts.trouble}</h3>
<p class="figure"><span class="big">${missing.length}</span> <span class="what">${texts.troubleCount('', String(rows.length)).trim()}</span></p>
${missing.length === 0 ? html`<p class="note">${rows.length === 0 ? texts.unknown : texts.troubleNone}</p>` : html`<ol class="worst">${items}</ol>`}
${rest > 0 ? html`<p class="note"><a href="#districts">${texts.troubleMore(String(rest))}</a></p>` : ''}</article>`;
}

// --------------------------------------------------------------------------------------------------------- the books

function balanced(pen: Pen): Markup {
  const { texts, figures, shown } = pen;
  const { identity, quality } = shown;
  const last = identity.totals.at(-1);
  const holds = last === undefined ? null : identity.holds;
  const line = (name: string, value: number | string) =>
    html`<div><dt>${name}</dt><dd>${figures.rounded(value)}</dd></div>`;
  return html`<article class="card ${stateOf(holds)}" id="balanced"><h3>${texts.balanced}</h3>
<p class="answer">${holds === null ? texts.unknown : holds ? html`✓ ${texts.matches}` : html`▲ ${texts.off(figures.money(last?.difference ?? 0))}`}</p>
${
  last === undefined
    ? ''
    : html`<dl>${line(texts.funded, last.funded)}${line(texts.allocated, last.allocated)}${line(texts.outstanding, last.outstanding)}${line(texts.idle, last.idle)}
<div><dt>${texts.loans}</dt><dd>${figures.whole(quality.total.loans)}</dd></div></dl>`
}
<p class="note"><a href="#identity">${texts.identity}</a></p></article>`;
}

const stateOf = (holds: boolean | null): string => (holds === null ? 'unknown' : holds ? 'met' : 'missed');
