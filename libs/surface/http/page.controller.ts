import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Ledger } from '../../engine/ledger.js';
import { oneOf, optional } from '../../kernel/fields.js';
import { invariant } from '../../kernel/result.js';
import type { CapitalPlan } from '../../projections/capital-plan/query.js';
import type { DistrictBalances } from '../../projections/district-balances/query.js';
import type { PortfolioQuality } from '../../projections/portfolio-quality/query.js';
import { isObject } from '../formats/json.js';
import { RequestRefused } from '../formats/problem.js';
import { LEDGER, SERVICE, type Service } from '../nest/tokens.js';
import { ask, COMMON_PARAMETERS, type GivenParameters, readParameters } from '../verbs/query.js';
import { page } from './page.js';

const LANGUAGES = ['vi', 'en'] as const;

/** A plain page for people who look rather than read: Vietnamese, or English with ?lang=en. */
@Controller()
export class PageController {
  constructor(
    @Inject(LEDGER) private readonly ledger: Ledger,
    @Inject(SERVICE) private readonly service: Service,
  ) {}

  @Get()
  async show(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { asOf, knownOn } = COMMON_PARAMETERS;
    // A field of the form that was left empty asks for nothing.
    const given = Object.fromEntries(
      Object.entries(isObject(request.query) ? request.query : {}).filter(([, value]) => value !== ''),
    );
    const read = readParameters({ asOf, knownOn, lang: optional(oneOf(LANGUAGES)) }, given);
    if (!read.ok) throw new RequestRefused(read.error);
    const { lang, ...days } = given;
    const [plan, quality, byDistrict, balances, calendar] = await Promise.all([
      this.#ask<CapitalPlan>('capital-plan', days),
      this.#ask<PortfolioQuality>('portfolio-quality', days),
      this.#ask<PortfolioQuality>('portfolio-quality', { ...days, by: 'district' }),
      this.#ask<DistrictBalances>('district-balances', days),
      this.ledger.calendar(),
    ]);
    reply.header('content-type', 'text/html; charset=utf-8');
    reply.header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'");
    return page({
      language: lang === 'en' ? 'en' : 'vi',
      knownOn: typeof days.knownOn === 'string' ? days.knownOn : null,
      simulated: calendar.simulated,
      ...{ plan, quality, byDistrict, balances },
    });
  }

  async #ask<T>(name: string, given: GivenParameters): Promise<T> {
    const query = this.service.queries.find((query) => query.name === name);
    invariant(query !== undefined, `${name} is a query`);
    const answer = await ask(this.ledger, query, given);
    if (!answer.ok) throw new RequestRefused(answer.error);
    return answer.value as T;
  }
}
