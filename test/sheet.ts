import type { Answer } from '../libs/engine/answers.js';
import type { Ledger } from '../libs/engine/ledger.js';
import type { EventStore } from '../libs/event-store/port.js';
import type { Envelope } from '../libs/kernel/envelope.js';
import type { Sent } from '../libs/lending/scenario.js';

/* Commands of specs as lines of a sheet, and what stands in a store afterwards. */

export interface Line {
  readonly command: string;
  readonly id: string;
  readonly actor: string;
  readonly valueDate: string;
  readonly data: Sent[2];
}

/** The line of a command; its key is its place in the sheet unless another is given. */
export const lineOf = ([command, valueDate, data]: Sent, id: string): Line => ({
  ...{ command, id, actor: 'chi-nhanh', valueDate, data },
});

export const sheetOf = (sent: readonly Sent[], prefix = 'k'): readonly Line[] =>
  sent.map((one, index) => lineOf(one, `${prefix}-${index}`));

/** Posts a sheet line by line, as a file is posted: a line begins when the one before it was decided. */
export async function postSheet(ledger: Pick<Ledger, 'begin'>, lines: readonly Line[]): Promise<readonly Answer[]> {
  const answers: Promise<Answer>[] = [];
  for (const line of lines) answers.push((await ledger.begin(line)).answer);
  return Promise.all(answers);
}

/** Posts a sheet whose every line is accepted. */
export async function accept(ledger: Pick<Ledger, 'begin'>, lines: readonly Line[]): Promise<readonly Answer[]> {
  const answers = await postSheet(ledger, lines);
  for (const answer of answers) expect(answer).toMatchObject({ accepted: true });
  return answers;
}

export const codeOf = (answer: Answer): string | null => (answer.accepted ? null : answer.refusal.code);

/** Everything that is stored, in global order. */
export async function stored(store: Pick<EventStore, 'readAll'>): Promise<readonly Envelope[]> {
  const events: Envelope[] = [];
  for await (const event of store.readAll()) events.push(event);
  return events;
}

/** What a history is known by: type, id and seal by stream, whatever the order between streams. */
export function sealsByStream(events: readonly Envelope[]): Readonly<Record<string, readonly string[]>> {
  const streams: Record<string, string[]> = {};
  for (const { stream, type, id, meta } of events) {
    const own = streams[stream] ?? [];
    streams[stream] = own;
    own.push(`${type} ${id} ${meta.seal}`);
  }
  return Object.fromEntries(Object.entries(streams).sort());
}
