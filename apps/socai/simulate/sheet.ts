import type { LocalDate } from '../../../libs/kernel/dates.js';
import type { RefusalCode } from '../../../libs/lending/refusals.js';
import { closedAt, type Day, recordedAt } from './calendar.js';

/** A command as it is sent, and the refusal that it is meant to meet. */
export interface Line {
  readonly request: {
    readonly command: string;
    readonly id: string;
    readonly actor: string;
    readonly valueDate?: LocalDate;
    readonly data: Readonly<Record<string, unknown>>;
    recordedAt: string;
  };
  readonly refusal: RefusalCode | null;
}

/** The lines of a day, in the order in which they are entered. */
export class Sheet {
  readonly lines: Line[] = [];

  constructor(readonly day: Day) {}

  add(
    command: string,
    id: string,
    actor: string,
    data: Line['request']['data'],
    { valueDate = this.day.date, refusal = null }: { valueDate?: LocalDate; refusal?: RefusalCode | null } = {},
  ): void {
    this.lines.push({ request: { command, id, actor, valueDate, data, recordedAt: '' }, refusal });
  }

  /** Says of each line when it is recorded, and ends with the day's close. */
  finish(): void {
    const { date } = this.day;
    this.lines.forEach(({ request }, index) => {
      request.recordedAt = recordedAt(date, index, this.lines.length);
    });
    const close = { command: 'close-business-day', id: `close-${date}`, actor: 'branch', data: { date } };
    this.lines.push({ request: { ...close, recordedAt: closedAt(date) }, refusal: null });
  }
}
