import { districtsSection } from './districts.js';
import { glanceFirst, glanceRest } from './glance.js';
import { html, type Markup } from './html.js';
import { identitySection } from './identity.js';
import { loanSection } from './loan.js';
import { monthsSection } from './months.js';
import { planSection } from './plan.js';
import { type Asked, addressOf, type FirstLook, type FirstPen, type Pen, penOf, type Shown } from './shown.js';
import { TEXTS } from './texts.js';

/*
 * The page in three pieces, sent one after the other while the next one's figures are read: together they are the whole
 * page, with every figure and picture in it, and it can be read before, or without, any script. The browser's module
 * asks for the page of other days and puts its parts in the place of these.
 */

/** Nothing to see yet. `style` is the sheet of the whole page: CSS of our own, written as it is. */
export function pageHead({ language }: Asked, simulated: boolean, style: string): string {
  const texts = TEXTS[language];
  return html`<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${simulated ? `${texts.simulated} · ` : ''}${texts.title}</title>
<style>${{ markup: style }}</style>
<link rel="icon" href="/assets/surface/web/icon.svg" type="image/svg+xml">
</head>
`.markup;
}

/** The days and the answers that are quickly found: what the first paint shows. */
export function pageFirst(shown: FirstLook): string {
  const pen = penOf(shown);
  const { texts } = pen;
  const { language } = shown.asked;
  return html`<body>
<a class="skip" href="#main">${texts.skip}</a>
<header><div><p class="title"><a href="${addressOf({ language, asOf: null, knownOn: null, loan: null })}">${texts.title}</a></p><h1>${texts.subtitle}</h1></div>
<nav aria-label="${texts.language}">${languageLink(pen)}</nav></header>
${shown.simulated ? html`<p class="simulated" role="note"><strong>${texts.simulated}.</strong> ${texts.simulatedNote}</p>` : ''}
${sliders(pen)}
<main id="main" tabindex="-1">${glanceFirst(pen)}
`.markup;
}

/** Every other part, in the order in which it is read, and the module: fetched earlier it would hold up the first paint. */
export function pageRest(shown: Shown): string {
  const pen = penOf(shown);
  const parts = [glanceRest, planSection, monthsSection, districtsSection, identitySection, loanSection].map((part) =>
    part(pen),
  );
  return html`${parts}</main>
<footer><nav aria-label="${pen.texts.sections}">${sectionLinks(pen)}<a href="/docs">API</a></nav></footer>
${HATCH}
<script type="module" src="/assets/surface/web/browser/page.js"></script>
</body>
</html>
`.markup;
}

function languageLink({ shown }: FirstPen): Markup {
  const other = shown.asked.language === 'vi' ? 'en' : 'vi';
  return html`<a id="language" href="${addressOf(shown.asked, { language: other })}" lang="${other}" hreflang="${other}">${TEXTS[other].self}</a>`;
}

const sectionLinks = ({ texts }: Pen): readonly Markup[] =>
  (['glance', 'plan', 'months', 'districts', 'identity', 'loan'] as const).map(
    (id) => html`<a href="#${id}">${texts[id]}</a> `,
  );

/** Two days that move every figure. Without a script they are two dates and a button. */
function sliders(pen: FirstPen): Markup {
  const { texts, figures, shown } = pen;
  const { asked, days, quality } = shown;
  const { asOf } = quality;
  const known = asked.knownOn;
  const line = texts.asOfLine(figures.day(asOf), known === null ? null : figures.day(known));
  return html`<form id="days" class="days" action="/" method="get" aria-label="${texts.days}" data-language="${asked.language}" data-first="${days?.first ?? ''}" data-open="${days?.open ?? ''}" data-everything="${texts.everything}" data-failed="${texts.failed}">
${slider('asOf', asOf, { name: texts.asOf, hint: texts.asOfHint, keys: texts.keys }, figures.day(asOf))}
${slider('knownOn', known ?? '', { name: texts.knownOn, hint: texts.knownOnHint, keys: texts.keys }, known === null ? texts.everything : figures.day(known))}
${asked.language === 'vi' ? '' : html`<input type="hidden" name="lang" value="${asked.language}">`}${asked.loan === null ? '' : html`<input type="hidden" name="loan" value="${asked.loan}">`}
<button type="submit" class="by-hand">${texts.show}</button>
<p id="as-of-line" role="status">${line}</p>
${known !== null && known < asOf ? html`<p id="ahead" class="ahead">${texts.ahead(figures.day(known))}</p>` : html`<p id="ahead" class="ahead" hidden></p>`}
</form>`;
}

function slider(
  name: 'asOf' | 'knownOn',
  value: string,
  { name: label, hint, keys }: { readonly name: string; readonly hint: string; readonly keys: string },
  text: string,
): Markup {
  return html`<div class="day"><label for="${name}-slider">${label} <span class="hint">(${hint})</span></label>
<output id="${name}-text" for="${name}-slider">${text}</output>
<input type="range" id="${name}-slider" class="slider" min="0" max="0" step="1" disabled title="${keys}" aria-valuetext="${text}">
<input type="date" id="${name}" name="${name}" class="by-hand" value="${value}" aria-label="${label}"></div>`;
}

/** What is behind schedule is hatched: paths refer to it by its name. */
const HATCH = html`<svg width="0" height="0" aria-hidden="true" class="hatch"><defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse"><rect class="hatch-ground" width="6" height="6"></rect><path class="hatch-line" d="M0 1.5H6M0 4.5H6"></path></pattern></defs></svg>`;
