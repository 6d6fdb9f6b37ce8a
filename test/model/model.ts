import { closeOf, unpaidPortions } from './close.js';
import { DECISIONS, type Decision } from './decide.js';
import { addDays, type Day, isDay, localDay } from './exact.js';
import { type Answer, type Fact, type Line, must, ofType, Refusal, refuse } from './facts.js';
import { bodyOf, COMMANDS, isActor, isKey, wellFormed } from './fields.js';

/**
 * The ledger as the rules tell it: a list of accepted facts and the answers already given. Slow on purpose; nothing
 * is kept that could be computed from the facts.
 */
export interface Model {
  readonly simulated: boolean;
  /** The machine's clock, for lines that carry no `recordedAt`; the caller moves it. */
  clock: string;
  facts: Fact[];
  /** By stream and key: the first answer, for ever. */
  readonly keys: Map<string, { readonly body: string; readonly events: readonly string[] }>;
  firstDay: Day | null;
  openDay: Day | null;
  lastRecordedAt: string | null;
}

export const createModel = (clock: string, simulated = true): Model => ({
  simulated,
  clock,
  facts: [],
  keys: new Map(),
  firstDay: null,
  openDay: null,
  lastRecordedAt: null,
});

/** Executes one line: accepted and recorded, the first answer again, or refused with nothing recorded. */
export const execute = (model: Model, line: Line): Answer => {
  try {
    return answer(model, line);
  } catch (error) {
    if (error instanceof Refusal) return { outcome: 'refused', reason: error.message };
    throw error;
  }
};

const answer = (model: Model, line: Line): Answer => {
  const command = COMMANDS[line.command] ?? refuse('invalid');
  must(isKey(line.id), 'invalid');
  const stream = command.about(line.data);
  // "the key is looked up before anything else is checked"
  const first = model.keys.get(`${stream} ${line.id}`);
  if (first !== undefined) {
    must(first.body === bodyOf(line), 'key');
    return { outcome: 'duplicate', events: first.events };
  }
  must(wellFormed(line), 'invalid');
  must(line.actor === undefined || isActor(line.actor), 'invalid');
  if (line.ifMatch !== undefined) must(line.ifMatch === revisionOf(model, stream), 'revision');
  const recordedAt = instantOf(model, line);
  const facts =
    line.command === 'close-business-day' ? close(model, line, recordedAt) : decide(model, line, stream, recordedAt);
  // "Closing a closed day is accepted and writes nothing, its key included"
  if (facts.length === 0) return { outcome: 'accepted', events: [] };
  model.facts = [...model.facts, ...facts];
  model.lastRecordedAt = recordedAt;
  const events = facts.filter((fact) => fact.stream === stream).map((fact) => fact.type);
  model.keys.set(`${stream} ${line.id}`, { body: bodyOf(line), events });
  return { outcome: 'accepted', events };
};

/** Of the streams whose every event is a fact here: not `businessDay`, nor the district funds. */
export const revisionOf = (model: Model, stream: string): number =>
  model.facts.filter((fact) => fact.stream === stream).length - 1;

/** "a bulk line may carry `recordedAt`, never earlier than the last one", in a simulated ledger only */
const instantOf = (model: Model, line: Line): string => {
  const last = model.lastRecordedAt;
  if (line.recordedAt === undefined)
    return last !== null && Date.parse(last) > Date.parse(model.clock) ? last : model.clock;
  must(model.simulated, 'clock');
  must(last === null || Date.parse(line.recordedAt) >= Date.parse(last), 'clock');
  return line.recordedAt;
};

const decide = (model: Model, line: Line, stream: string, recordedAt: string): Fact[] => {
  const valueDate = isDay(line.valueDate) ? line.valueDate : refuse('invalid');
  const recordedDay = localDay(recordedAt);
  if (model.openDay === null || model.firstDay === null) {
    // "the value date of its first command, which may not be after the clock's day"
    must(valueDate <= recordedDay, 'valueDate');
  } else {
    must(valueDate <= model.openDay && valueDate >= model.firstDay, 'valueDate');
  }
  const openDay = model.openDay ?? valueDate;
  const decision: Decision =
    DECISIONS[line.command]?.({ data: line.data, valueDate, openDay, facts: model.facts }) ?? refuse('invalid');
  // "a refused command opens nothing": only now does the first one open the ledger.
  model.firstDay ??= valueDate;
  model.openDay = openDay;
  return decision.map((content) => ({ valueDate, ...content, stream, bookingDate: openDay, recordedDay }));
};

/** "`close-business-day` with a later date closes each day between, in order" */
const close = (model: Model, line: Line, recordedAt: string): Fact[] => {
  const openDay = model.openDay ?? refuse('valueDate');
  const until = String(line.data.date);
  const recordedDay = localDay(recordedAt);
  if (until < openDay) return [];
  // "a day ahead of the clock cannot be closed"
  must(until <= recordedDay, 'clock');
  const unpaid = unpaidPortions(model.facts);
  const written: Fact[] = [];
  let day = openDay;
  for (; day <= until; day = addDays(day, 1)) {
    const bookingDate = day;
    const closed = closeOf([...model.facts, ...written], unpaid, day);
    written.push(...closed.map((content) => ({ ...content, bookingDate, recordedDay })));
  }
  model.openDay = day;
  return written;
};

export const loansOf = (model: Model): string[] => ofType(model.facts, 'LoanApplied').map((fact) => fact.loan);
