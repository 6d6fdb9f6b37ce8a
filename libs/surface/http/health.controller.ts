import { Controller, Get, Inject, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { FollowerStatus } from '../../engine/answers.js';
import type { Ledger } from '../../engine/ledger.js';
import { START } from '../../event-store/port.js';
import { READY_LAG_SECONDS_MAX } from '../config.js';
import { LEDGER, SERVICE, type Service } from '../nest/tokens.js';
import { ask } from '../verbs/query.js';

@Controller()
export class HealthController {
  constructor(
    @Inject(LEDGER) private readonly ledger: Ledger,
    @Inject(SERVICE) private readonly service: Service,
  ) {}

  /** The process answers. `instance` tells one start of it from another. */
  @Get('health/live')
  live(): object {
    return { status: 'live', instance: this.service.instance };
  }

  /** Whether answers can be relied on: every follower runs and is not far behind, and the invariants hold. */
  @Get('health/ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<object> {
    const followers = this.ledger.followers();
    const invariants = await this.#invariants();
    const reasons = [
      ...followers.flatMap(reasonsOf),
      ...(invariants?.holds === false ? ['an invariant does not hold: GET /v1/invariants names it'] : []),
      ...(this.service.stopping ? ['the service is stopping'] : []),
    ];
    // An invariant that does not hold is for people to look at: answers are still what the events say.
    const unready = followers.some((follower) => reasonsOf(follower).length > 0) || this.service.stopping;
    reply.status(unready ? 503 : 200);
    const { open, first, simulated } = await this.ledger.calendar();
    return { status: unready ? 'not-ready' : 'ready', reasons, open, first, simulated, invariants, followers };
  }

  @Get('metrics')
  async metrics(@Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const { registry } = this.service.measurements;
    reply.header('content-type', registry.contentType);
    return registry.metrics();
  }

  /** Asked without waiting for the newest event: how far it has come stands among the followers. */
  async #invariants(): Promise<{ readonly holds: boolean } | null> {
    const query = this.service.queries.find(({ name }) => name === 'invariants');
    if (query === undefined) return null;
    try {
      const answer = await ask(this.ledger, query, { after: START });
      return answer.ok ? { holds: (answer.value as { readonly holds: boolean }).holds } : null;
    } catch {
      return null;
    }
  }
}

function reasonsOf({ name, state, halted, lagSeconds, fault }: FollowerStatus): readonly string[] {
  if (fault !== null) return [`${name}: ${fault}`];
  if (state === 'halted') return [`${name} stopped at ${halted?.type} ${halted?.position}: ${halted?.error}`];
  return lagSeconds > READY_LAG_SECONDS_MAX ? [`${name} is ${Math.round(lagSeconds)} s behind`] : [];
}
