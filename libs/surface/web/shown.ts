import { DISTRICTS } from '../../lending/codes.js';
import type { CapitalPlan } from '../../projections/capital-plan/query.js';
import type { CapitalIdentity } from '../../projections/district-balances/capital-identity.js';
import type { DistrictBalances } from '../../projections/district-balances/query.js';
import type { LoanAnswer } from '../../projections/loan/query.js';
import type { Statement } from '../../projections/loan/statement.js';
import type { PortfolioQualityByMonth } from '../../projections/portfolio-quality/by-month.js';
import type { PortfolioQuality } from '../../projections/portfolio-quality/query.js';
import type { Language } from '../formats/negotiate.js';
import { type Figures, figuresIn } from './figures.js';
import { html, type Markup } from './html.js';
import { TEXTS, type Texts } from './texts.js';

/** What the page was asked for, as it stands in its address. */
export interface Asked {
  readonly language: Language;
  /** null: the open business day. */
  readonly asOf: string | null;
  /** null: everything that is recorded. */
  readonly knownOn: string | null;
  readonly loan: string | null;
}

/** A loan that is worth a look, and the event that makes it so. */
export interface Suggestion {
  readonly type: 'LoanOverdue' | 'PaymentReversed' | 'LoanSettled';
  readonly loan: string;
}

/** One loan, or the id of one that is not there. */
export type Account =
  | { readonly found: true; readonly loan: LoanAnswer; readonly statement: Statement }
  | { readonly found: false; readonly id: string };

/** What the first look is made of: the days, and the answers at a glance that are quickly found. */
export interface FirstLook {
  readonly asked: Asked;
  readonly simulated: boolean;
  /** Between which days the sliders move; null: there is no ledger yet. */
  readonly days: { readonly first: string; readonly open: string } | null;
  readonly plan: CapitalPlan;
  readonly quality: PortfolioQuality;
  readonly byDistrict: PortfolioQuality;
}

/** All that the page shows: answers of queries, and nothing else. */
export interface Shown extends FirstLook {
  readonly identity: CapitalIdentity;
  readonly balances: DistrictBalances;
  readonly months: PortfolioQualityByMonth;
  readonly suggestions: readonly Suggestion[];
  readonly account: Account | null;
}

/** What every part of the page writes with. */
export interface Pen<Of extends FirstLook = Shown> {
  readonly shown: Of;
  readonly texts: Texts;
  readonly figures: Figures;
}

export type FirstPen = Pen<FirstLook>;

export const penOf = <Of extends FirstLook>(shown: Of): Pen<Of> => ({
  shown,
  texts: TEXTS[shown.asked.language],
  figures: figuresIn(shown.asked.language),
});

/** The page's own address, with some of what was asked for changed. */
export function addressOf(asked: Asked, changes: Partial<Asked> = {}): string {
  const { language, asOf, knownOn, loan } = { ...asked, ...changes };
  const search = new URLSearchParams({
    ...(language === 'vi' ? {} : { lang: language }),
    ...(asOf === null ? {} : { asOf }),
    ...(knownOn === null ? {} : { knownOn }),
    ...(loan === null ? {} : { loan }),
  }).toString();
  return search === '' ? '/' : `/?${search}`;
}

/** Names the queries that a part's figures come from: each can be asked again, for JSON or as a table. */
export function sourceOf(
  { shown, texts }: FirstPen,
  ...queries: readonly (readonly [name: string, parameters?: Readonly<Record<string, string>>])[]
): Markup {
  const { quality, asked } = shown;
  const links = queries.map(([name, parameters = {}]) => {
    const days = { asOf: quality.asOf, ...(asked.knownOn === null ? {} : { knownOn: asked.knownOn }) };
    const search = new URLSearchParams({ ...parameters, ...days }).toString();
    return html`<span><a href="/v1/${name}?${search}">${name}</a> (<a href="/v1/${name}?${search}&format=csv">CSV</a>)</span> `;
  });
  return html`<p class="source">${texts.source}: ${links}</p>`;
}

export const districtName = (code: string): string =>
  Object.hasOwn(DISTRICTS, code) ? DISTRICTS[code as keyof typeof DISTRICTS] : code;

/** Said in a word and a shape, never in colour alone. */
export function verdict({ texts }: FirstPen, meets: boolean | null): Markup {
  if (meets === null) return html`<span class="verdict unknown">${texts.none}</span>`;
  return meets
    ? html`<span class="verdict met"><span aria-hidden="true">✓</span> ${texts.met}</span>`
    : html`<span class="verdict missed"><span aria-hidden="true">▲</span> ${texts.missed}</span>`;
}
