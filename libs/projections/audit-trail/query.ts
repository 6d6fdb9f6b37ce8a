import { addDays, type Instant, type LocalDate, laterOf } from '../../kernel/dates.js';
import { type DataOf, date, integer, oneOf, optional, reference } from '../../kernel/fields.js';
import { type EventType, events } from '../../lending/catalogue.js';
import { borrowerId, district, loanId } from '../../lending/vocabulary.js';
import type { ReadView, Where } from '../../read-store/port.js';
import { cursor } from '../parameters.js';
import type { AsOf, Query } from '../projection.js';
import { ENTRIES } from './documents.js';

export const LIMIT_MAX = 1_000;
export const LIMIT_DEFAULT = 100;

const parameters = {
  loan: optional(loanId()),
  borrower: optional(borrowerId()),
  actor: optional(reference()),
  district: optional(district()),
  type: optional(oneOf(Object.keys(events) as EventType[])),
  /** Recorded days, both included. */
  from: optional(date()),
  to: optional(date()),
  cursor: optional(cursor()),
  limit: optional(integer(1, LIMIT_MAX)),
};

export interface AuditRow {
  readonly position: string;
  readonly recordedAt: Instant;
  readonly bookingDate: LocalDate;
  readonly valueDate: LocalDate;
  readonly actor: string;
  readonly type: string;
  readonly stream: string;
  readonly decision: string | null;
  readonly receipt: string | null;
  readonly voucher: string | null;
  readonly summary: string;
  readonly loan: string | null;
  readonly borrower: string | null;
  readonly district: string | null;
  /** The trace of the request, as it was handed on with the event: null where the caller had none. */
  readonly traceparent: string | null;
}

export interface AuditTrail {
  readonly asOf: LocalDate;
  readonly knownOn: LocalDate;
  readonly rows: readonly AuditRow[];
  /** The cursor of the rows after these, null where there are none. */
  readonly next: string | null;
}

export const auditTrailQuery: Query<typeof parameters, AuditTrail> = {
  name: 'audit-trail',
  summary: 'Who recorded what, when, on whose decision: by loan, borrower, actor, district, type and day.',
  model: 'audit-trail',
  parameters,
  rows: 'rows',
  run,
};

async function run(view: ReadView, asked: DataOf<typeof parameters>, at: AsOf): Promise<AuditTrail> {
  const limit = asked.limit ?? LIMIT_DEFAULT;
  const rows: AuditRow[] = [];
  const where = { ...whereOf(asked, at), ...(await positionsOf(view, asked)) };
  // One more than is shown says whether there is more.
  for await (const found of view.find(ENTRIES, { where, order: ['position'], limit: limit + 1 })) {
    // Written by project.ts.
    rows.push(rowOf(found as unknown as AuditRow));
  }
  const shown = rows.slice(0, limit);
  const next = rows.length > limit ? (shown.at(-1)?.position ?? null) : null;
  return { asOf: at.asOf, knownOn: at.knownOn ?? at.today, rows: shown, next };
}

function whereOf(asked: DataOf<typeof parameters>, { asOf, knownOn }: AsOf): Where {
  const { loan, borrower, actor, district: of, type, from, to } = asked;
  const until = to === null ? knownOn : knownOn === null || to < knownOn ? to : knownOn;
  return {
    ...(loan === null ? {} : { loan }),
    ...(borrower === null ? {} : { borrower }),
    ...(actor === null ? {} : { actor }),
    ...(of === null ? { place: 0 } : { district: of }),
    ...(type === null ? {} : { type }),
    ...(from === null && until === null
      ? {}
      : { recorded: { ...(from === null ? {} : { gte: from }), ...(until === null ? {} : { lte: until }) } }),
    valueDate: { lte: asOf },
  };
}

/**
 * Where in the history the rows can stand, so that years before `from` are not walked through. Days of recording rise
 * with the positions but for what several writers' clocks differ by, which is far below a day: one day before bounds
 * them for certain.
 */
async function positionsOf(view: ReadView, { from, cursor: after }: DataOf<typeof parameters>): Promise<Where> {
  if (after !== null) return { position: { gt: after } };
  if (from === null) return {};
  const where = { recorded: { gte: addDays(from, -1) } };
  for await (const { position } of view.find(ENTRIES, { where, order: ['recorded', 'position'], limit: 1 })) {
    // Of the key, which is text.
    return { position: { gte: position as string } };
  }
  const positions = [...view.checkpoints.values()].map(({ position }) => position);
  return { position: { gt: positions.reduce(laterOf, '') } };
}

function rowOf(found: AuditRow): AuditRow {
  const { position, recordedAt, bookingDate, valueDate, actor, type, stream } = found;
  const { decision, receipt, voucher, summary, loan, borrower, district: of, traceparent } = found;
  return {
    ...{ position, recordedAt, bookingDate, valueDate, actor, type, stream },
    ...{ decision, receipt, voucher, summary, loan, borrower, district: of, traceparent },
  };
}
