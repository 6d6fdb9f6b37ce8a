import type { Parameters } from '../../apps/socai/simulate/programme.js';
import type { Line } from '../../apps/socai/simulate/sheet.js';
import { simulate } from '../../apps/socai/simulate/simulation.js';
import type { LocalDate } from '../../libs/kernel/dates.js';

/* The load of a drill: a programme's sheets, posted over HTTP until every line is answered. */

export interface Loaded {
  /** Of what was posted, up to this day. */
  readonly parameters: Parameters;
  readonly lastDay: LocalDate;
  readonly lines: number;
  /** Sheets that were posted again because an answer did not come. */
  readonly again: number;
  /** By the line: the events of its first answer, as `stream revision type`. */
  readonly acknowledged: ReadonlyMap<string, readonly string[]>;
}

interface Result {
  readonly line: number;
  readonly status: number;
  readonly code?: string;
  readonly events?: readonly { readonly stream: string; readonly revision: number; readonly type: string }[];
}

const ANSWER_MS_MAX = 60_000;
const REST_MS = 250;
/** No line waits longer: what holds a ledger up for that long is a failure, not a fault. */
const DAY_MS_MAX = 600_000;

/**
 * Posts a programme day by day, each sheet to another of `urls`: until `atLeast`, and from there on for as long as there
 * is harm.
 */
export async function postProgramme(
  urls: readonly string[],
  parameters: Parameters,
  atLeast: LocalDate,
  harmed: AbortSignal,
): Promise<Loaded> {
  const acknowledged = new Map<string, readonly string[]>();
  let [lines, again, sheets] = [0, 0, 0];
  let lastDay = parameters.from;
  for (const { day, lines: sheet } of simulate(parameters)) {
    if (day.date > atLeast && harmed.aborted) break;
    lines += sheet.length;
    lastDay = day.date;
    // The close waits for all that comes before it.
    for (const part of [sheet.slice(0, -1), sheet.slice(-1)]) {
      const first = sheets++ % urls.length;
      again += await postAll([...urls.slice(first), ...urls.slice(0, first)], part, acknowledged);
    }
  }
  return { lines, again, acknowledged, parameters, lastDay };
}

/** Resolves when each line is answered as it has to be; with how often it was begun again. */
async function postAll(
  urls: readonly string[],
  lines: readonly Line[],
  acknowledged: Map<string, readonly string[]>,
): Promise<number> {
  const until = Date.now() + DAY_MS_MAX;
  for (let tries = 0; lines.length > 0; tries++) {
    const url = urls[tries % urls.length] ?? '';
    const open = await post(url, lines, tries > 0, acknowledged);
    if (open === null) return tries;
    if (Date.now() > until) throw new Error(`no answer for ${DAY_MS_MAX / 1_000} s: ${open}`);
    await new Promise((rested) => setTimeout(rested, REST_MS));
  }
  return 0;
}

/** Null when all lines are answered, else what was in the way. */
async function post(
  url: string,
  lines: readonly Line[],
  isAgain: boolean,
  acknowledged: Map<string, readonly string[]>,
): Promise<string | null> {
  const results: Result[] = [];
  try {
    const response = await fetch(`${url}/v1/commands`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.map(({ request }) => `${JSON.stringify(request)}\n`).join(''),
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    if (!response.ok) return `${response.status} ${await response.text()}`;
    let rest = '';
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const texts = (rest + Buffer.from(chunk).toString()).split('\n');
      rest = texts.pop() ?? '';
      for (const text of texts) results.push(JSON.parse(text));
    }
  } catch (error) {
    // Killed, cut or paused: what was answered until then counts.
    for (const result of results) note(result, lines, isAgain, acknowledged);
    return String((error as Error).cause ?? error);
  }
  const open = results.filter((result) => !note(result, lines, isAgain, acknowledged));
  if (open.length === 0 && results.length >= lines.length) return null;
  return open.length === 0 ? 'the answer was cut' : JSON.stringify(open[0]);
}

/** Whether that is an answer that stays. What an earlier one said must hold. */
function note(
  result: Result,
  lines: readonly Line[],
  isAgain: boolean,
  acknowledged: Map<string, readonly string[]>,
): boolean {
  const line = lines[result.line - 1];
  if (line === undefined) throw new Error(`an answer to no line: ${JSON.stringify(result)}`);
  if (result.status >= 500) return false;
  const { request, refusal } = line;
  if (result.status !== 200) {
    // A refusal binds nothing: said again, the line may meet another one, as time has passed it.
    if (refusal === null || (!isAgain && result.code !== refusal)) {
      throw new Error(`refused: ${JSON.stringify(request)}: ${JSON.stringify(result)}`);
    }
    return true;
  }
  if (refusal !== null) throw new Error(`accepted: ${JSON.stringify(request)}`);
  const key = JSON.stringify(request);
  const events = (result.events ?? []).map(({ stream, revision, type }) => `${stream} ${revision} ${type}`);
  const before = acknowledged.get(key);
  if (before === undefined) acknowledged.set(key, events);
  else if (JSON.stringify(before) !== JSON.stringify(events)) {
    throw new Error(`two answers to ${key}: ${before.join(', ')} and ${events.join(', ')}`);
  }
  return true;
}
