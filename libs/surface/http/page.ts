import { DISTRICTS } from '../../lending/codes.js';
import type { CapitalPlan } from '../../projections/capital-plan/query.js';
import type { DistrictBalances } from '../../projections/district-balances/query.js';
import type { PortfolioQuality } from '../../projections/portfolio-quality/query.js';
import type { Language } from '../formats/negotiate.js';
import { dateText, dongText, percentText, wholeText } from '../formats/vietnamese.js';
import { PAGE_TEXTS, type PageTexts } from './page-texts.js';

export interface PageData {
  readonly language: Language;
  /** null: everything that is recorded. */
  readonly knownOn: string | null;
  readonly simulated: boolean;
  readonly plan: CapitalPlan;
  readonly quality: PortfolioQuality;
  readonly byDistrict: PortfolioQuality;
  readonly balances: DistrictBalances;
}

/** The page, as HTML that needs nothing beside itself: no script, no picture, no other address. */
export function page(data: PageData): string {
  const { language, simulated } = data;
  const texts = PAGE_TEXTS[language];
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${simulated ? `${texts.simulated} · ` : ''}${texts.title}</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">${texts.skip}</a>
<header>
<h1>${texts.title}</h1>
<nav aria-label="${texts.language}">${languageLink(data)}</nav>
</header>
<main id="main">
${simulated ? `<p class="simulated" role="note"><strong>${texts.simulated}.</strong> ${texts.simulatedNote}</p>` : ''}
${form(data, texts)}
<p>${escaped(texts.asOfLine(dateText(data.quality.asOf, language), dateText(data.quality.knownOn, language)))}</p>
${qualitySection(data, texts)}
${planSection(data, texts)}
${districtsSection(data, texts)}
</main>
<footer><p><a href="/docs">API</a></p></footer>
</body>
</html>
`;
}

function languageLink({ language, quality, knownOn }: PageData): string {
  const other = language === 'vi' ? 'en' : 'vi';
  const days = `asOf=${quality.asOf}${knownOn === null ? '' : `&amp;knownOn=${knownOn}`}`;
  return `<a href="/?lang=${other}&amp;${days}" lang="${other}" hreflang="${other}">${PAGE_TEXTS[other].self}</a>`;
}

function form({ language, quality, knownOn }: PageData, texts: PageTexts): string {
  return `<form action="/" method="get">
<label>${texts.asOf} <input type="date" name="asOf" value="${quality.asOf}"></label>
<label>${texts.knownOn} <input type="date" name="knownOn" value="${knownOn ?? ''}"></label>
<input type="hidden" name="lang" value="${language}">
<button type="submit">${texts.show}</button>
</form>`;
}

function qualitySection({ quality, language }: PageData, texts: PageTexts): string {
  const { total } = quality;
  const verdict = (meets: boolean | null) => (meets === null ? texts.none : meets ? texts.met : texts.missed);
  const rows: readonly (readonly string[])[] = [
    [texts.collectionRate, '≥ 98%', percentText(total.collectionRate, language), verdict(total.meetsCollectionRate)],
    [
      texts.overdueRatio,
      `< ${percentText('0.0005', language)}`,
      percentText(total.overdueRatio, language),
      verdict(total.meetsOverdueRatio),
    ],
  ];
  const money = [
    [texts.outstanding, total.outstanding],
    [texts.overdue, total.overdue],
    ['PAR 30', total.par30],
    ['PAR 90', total.par90],
  ] as const;
  return `<h2 id="quality">${texts.quality}</h2>
${table('quality', [texts.figure, texts.bound, texts.actual, texts.verdict], rows, 3)}
<dl>${money.map(([name, value]) => `<div><dt>${name}</dt><dd>${dongText(value, language)}</dd></div>`).join('')}
<div><dt>${texts.loans}</dt><dd>${wholeText(total.loans, language)}</dd></div></dl>`;
}

function planSection({ plan, language }: PageData, texts: PageTexts): string {
  const money = (value: number | string) => dongText(value, language);
  const row = (name: string, of: CapitalPlan['total']) => [
    ...[name, money(of.planned), money(of.funded), money(of.allocated), money(of.disbursed), money(of.recovered)],
    ...[wholeText(of.jobsTarget, language), wholeText(of.jobsCreated, language)],
  ];
  const { year, planned, funded, allocated, disbursed, recovered, jobsTarget, jobsCreated } = texts;
  const head = [year, planned, funded, allocated, disbursed, recovered, jobsTarget, jobsCreated];
  const rows = [...plan.rows.map((of) => row(String(of.year), of)), row(texts.total, plan.total)];
  return `<h2 id="plan">${texts.plan}</h2>\n${table('plan', head, rows, 8)}`;
}

function districtsSection({ balances, byDistrict, language }: PageData, texts: PageTexts): string {
  const quality = new Map(byDistrict.rows.map((row) => [row.district, row]));
  const row = (name: string, of: DistrictBalances['total'], ratio: string | null | undefined, loans: number) => [
    ...[name, dongText(of.allocated, language), dongText(of.outstanding, language), dongText(of.available, language)],
    ...[wholeText(loans, language), percentText(ratio, language)],
  ];
  const rows = balances.rows.map((of) => {
    const name = Object.hasOwn(DISTRICTS, of.district) ? DISTRICTS[of.district as keyof typeof DISTRICTS] : of.district;
    const found = quality.get(of.district);
    return row(name, of, found?.overdueRatio, found?.loans ?? 0);
  });
  const { total } = byDistrict;
  const all = [...rows, row(texts.total, balances.total, total.overdueRatio, total.loans)];
  const head = [texts.district, texts.allocated, texts.outstanding, texts.available, texts.loans, texts.overdueRatio];
  return `<h2 id="districts">${texts.districts}</h2>\n${table('districts', head, all, 6)}`;
}

/** The first cell of a row is its heading; the others up to `numbers` stand to the right. */
function table(name: string, head: readonly string[], rows: readonly (readonly string[])[], numbers: number): string {
  const cell = (text: string, index: number) =>
    index === 0
      ? `<th scope="row">${escaped(text)}</th>`
      : `<td${index < numbers ? ' class="number"' : ''}>${escaped(text)}</td>`;
  const heads = head.map(
    (text, index) => `<th scope="col"${index > 0 && index < numbers ? ' class="number"' : ''}>${escaped(text)}</th>`,
  );
  return `<div class="scroll" tabindex="0" role="region" aria-labelledby="${name}"><table aria-labelledby="${name}">
<thead><tr>${heads.join('')}</tr></thead>
<tbody>${rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n')}</tbody>
</table></div>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const STYLE = `
:root{color-scheme:light dark;--line:#8888;--accent:#0b6e4f}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:84rem;padding:0 1rem 2rem}
header{display:flex;align-items:baseline;justify-content:space-between;border-bottom:3px solid var(--accent)}
h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}
form{display:flex;flex-wrap:wrap;gap:1rem;align-items:end;margin:1rem 0}
label{display:grid}input,button{font:inherit;padding:.3rem .5rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
th,td{padding:.35rem .6rem;border-bottom:1px solid var(--line);text-align:left}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
tbody tr:last-child{font-weight:600}#quality+.scroll tbody tr{font-weight:400}
dl{display:flex;flex-wrap:wrap;gap:.5rem 2rem}dt{opacity:.75}dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}
.simulated{border:2px solid #b35c00;padding:.5rem .8rem}
.skip{position:absolute;left:-99rem}.skip:focus{position:static}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
`;
