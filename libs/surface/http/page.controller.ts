import { Readable } from 'node:stream';
import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ledger } from '../../engine/ledger.js';
import { addDays, addMonths, DATE_MIN, type LocalDate, laterOf } from '../../kernel/dates.js';
import { oneOf, optional } from '../../kernel/fields.js';
import { invariant } from '../../kernel/result.js';
import { loanId } from '../../lending/vocabulary.js';
import type { AuditTrail } from '../../projections/audit-trail/query.js';
import type { LoanAnswer } from '../../projections/loan/query.js';
import { isObject } from '../formats/json.js';
import { RequestRefused } from '../formats/problem.js';
import { LEDGER, SERVICE, type Service } from '../nest/tokens.js';
import { ask, COMMON_PARAMETERS, type GivenParameters, readParameters } from '../verbs/query.js';
import { pageFirst, pageHead, pageRest } from '../web/page.js';
import type { Account, Asked, FirstLook, Shown, Suggestion } from '../web/shown.js';
import { allowed, pageStyle } from './assets.js';

const LANGUAGES = ['vi', 'en'] as const;
const PARAMETERS = {
  asOf: COMMON_PARAMETERS.asOf,
  knownOn: COMMON_PARAMETERS.knownOn,
  loan: optional(loanId()),
  lang: optional(oneOf(LANGUAGES)),
};

const STYLE = pageStyle();

/** All that the page shows comes from here; nothing that is written in it is run, or styled but by its own sheet. */
const POLICY = [
  `default-src 'none'; script-src 'self'; style-src 'self' ${allowed(STYLE)}; img-src 'self'; connect-src 'self'`,
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
].join('; ');

/**
 * A browser that opens the page and is sent the rest before it has painted the first look lays all of it out first, with
 * the server's queries beside it. So the rest waits; parts that the browser's module asks for do not.
 */
const FIRST_PAINT_MS = 120;

/** So many loans that fell overdue are asked whether they still are. */
const LOOKED_AT = 8;
const WORTH_A_LOOK = ['LoanOverdue', 'PaymentReversed', 'LoanSettled'] as const;

/** What is known before anything is sent. */
interface Begun extends Omit<FirstLook, 'byDistrict'> {
  readonly given: GivenParameters;
  readonly asOf: LocalDate;
}

/** The page for people who look rather than read: Vietnamese, or English with ?lang=en. */
@Controller()
export class PageController {
  constructor(
    @Inject(LEDGER) private readonly ledger: Ledger,
    @Inject(SERVICE) private readonly service: Service,
  ) {}

  @Get()
  async show(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<Readable> {
    const asked = askedOf(isObject(request.query) ? request.query : {});
    const begun = await this.#begun(asked);
    reply.header('content-type', 'text/html; charset=utf-8');
    reply.header('content-security-policy', POLICY);
    reply.header('referrer-policy', 'no-referrer');
    reply.header('cache-control', 'no-cache');
    return Readable.from(this.#pieces(begun, request.headers['sec-fetch-mode'] === 'navigate'));
  }

  /** What can be refused is refused before this. A page that breaks off is cut, and its reader is told so. */
  async *#pieces(
    { asked, simulated, days, given, asOf, ...answers }: Begun,
    navigates: boolean,
  ): AsyncGenerator<string> {
    yield pageHead(asked, simulated, STYLE);
    // What is yielded leaves with the turn: the queries of an embedded store would hold it back.
    await turn();
    const period = { ...given, from: daysBefore(asOf, 12) };
    const byDistrict = await this.#ask<Shown['byDistrict']>('portfolio-quality', { ...period, by: 'district' });
    const first: FirstLook = { asked, simulated, days, ...answers, byDistrict };
    yield pageFirst(first);
    await (navigates ? wait(FIRST_PAINT_MS) : turn());
    const since = days === null ? given : { ...given, from: days.first };
    const [identity, balances, months] = await Promise.all([
      this.#ask<Shown['identity']>('capital-identity', given),
      this.#ask<Shown['balances']>('district-balances', given),
      this.#ask<Shown['months']>('portfolio-quality-by-month', since),
    ]);
    const found = WORTH_A_LOOK.map((type) =>
      this.#suggested(type, given, { from: daysBefore(asOf, 2), ...worstOf(byDistrict, type) }),
    );
    const suggestions = (await Promise.all(found)).filter((one) => one !== null);
    const account = await this.#account(asked.loan ?? suggestions[0]?.loan ?? null, given);
    yield pageRest({ ...first, identity, balances, months, suggestions, account });
  }

  async #begun(asked: Asked): Promise<Begun> {
    const { first, open, simulated } = await this.ledger.calendar();
    const asOf = (asked.asOf ?? open ?? this.ledger.today()) as LocalDate;
    const given = {
      ...(asked.asOf === null ? {} : { asOf: asked.asOf }),
      ...(asked.knownOn === null ? {} : { knownOn: asked.knownOn }),
    };
    const [plan, quality] = await Promise.all([
      this.#ask<Shown['plan']>('capital-plan', given),
      this.#ask<Shown['quality']>('portfolio-quality', { ...given, from: daysBefore(asOf, 12) }),
    ]);
    const days = first === null || open === null ? null : { first, open };
    return { asked, simulated, days, given, asOf, plan, quality };
  }

  /** The last loan with such an event where it is looked for, or anywhere. */
  async #suggested(
    type: Suggestion['type'],
    days: GivenParameters,
    where: GivenParameters,
  ): Promise<Suggestion | null> {
    for (const place of [where, {}]) {
      const asked = { ...days, ...place, type };
      const { rows } = await this.#ask<AuditTrail>('audit-trail', asked);
      const loans = [...new Set(rows.flatMap(({ loan }) => loan ?? []))].reverse();
      const loan = type === 'LoanOverdue' ? await this.#overdueOf(loans, days) : loans[0];
      if (loan !== undefined) return { type, loan };
    }
    return null;
  }

  /** One that fell overdue and still is, or else the first. */
  async #overdueOf(loans: readonly string[], days: GivenParameters): Promise<string | undefined> {
    for (const loan of loans.slice(0, LOOKED_AT)) {
      const answer = await this.#answer('loan', { ...days, loan });
      if (answer.ok && Number((answer.value as LoanAnswer).overdue) > 0) return loan;
    }
    return loans[0];
  }

  async #account(id: string | null, days: GivenParameters): Promise<Account | null> {
    if (id === null) return null;
    const [loan, statement] = await Promise.all([
      this.#answer('loan', { ...days, loan: id }),
      this.#answer('statement', { ...days, loan: id }),
    ]);
    if (!loan.ok || !statement.ok) return { found: false, id };
    return { found: true, loan: loan.value, statement: statement.value } as Account;
  }

  async #ask<T>(name: string, given: GivenParameters): Promise<T> {
    const answer = await this.#answer(name, given);
    if (!answer.ok) throw new RequestRefused(answer.error);
    return answer.value as T;
  }

  #answer(name: string, given: GivenParameters) {
    const query = this.service.queries.find((query) => query.name === name);
    invariant(query !== undefined, `${name} is a query`);
    return ask(this.ledger, query, given);
  }
}

/** So many months to a day. A year of days: on a first of January the year to date would have nothing to tell. */
const daysBefore = (asOf: LocalDate, months: number): LocalDate =>
  laterOf(addDays(addMonths(asOf, -months), 1), DATE_MIN);

/** Where most is overdue, there a loan that is. */
function worstOf({ rows }: Shown['byDistrict'], type: Suggestion['type']): GivenParameters {
  if (type !== 'LoanOverdue') return {};
  const [worst] = rows
    .filter(({ overdue }) => Number(overdue) > 0)
    .sort((a, b) => Number(b.overdue) - Number(a.overdue));
  return worst?.district === undefined ? {} : { district: worst.district };
}

/** What is asked for. A field of a form that was left empty asks for nothing. */
function askedOf(query: GivenParameters): Asked {
  const given = Object.fromEntries(Object.entries(query).filter(([, value]) => value !== ''));
  const read = readParameters(PARAMETERS, given);
  if (!read.ok) throw new RequestRefused(read.error);
  const { asOf, knownOn, loan, lang } = read.value as Readonly<Record<keyof typeof PARAMETERS, string | null>>;
  return { asOf, knownOn, loan, language: lang === 'en' ? 'en' : 'vi' };
}
