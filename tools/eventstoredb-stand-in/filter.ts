import type streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type { Recorded } from './store.js';

/* A filter on the server's side: prefixes or a regular expression, on the stream's name or the event's type. */

/** How many events the server looks at before it says how far it is, unless it is told. */
const WINDOW = 32;

export interface Filter {
  matches(event: Recorded): boolean;
  /** Events to a page of the past. */
  readonly window: number;
  /** Pages to a checkpoint. */
  readonly interval: number;
}

export function filterOf(options: streamsPb.ReadReq.Options.FilterOptions | undefined): Filter | 'bad' {
  if (!options) return 'bad';
  const onStream = options.getStreamIdentifier();
  const expression = onStream ?? options.getEventType();
  if (!expression) return 'bad';
  const prefixes = expression.getPrefixList();
  const test = prefixes.length > 0 ? undefined : compiled(expression.getRegex());
  if (test === 'bad') return 'bad';
  return {
    matches: (event) => {
      const text = onStream ? event.stream : event.type;
      return test ? test.test(text) : prefixes.some((prefix) => text.startsWith(prefix));
    },
    window: options.hasMax() ? options.getMax() : WINDOW,
    interval: options.getCheckpointintervalmultiplier(),
  };
}

function compiled(text: string): RegExp | 'bad' {
  try {
    return new RegExp(text, 'u');
  } catch {
    return 'bad';
  }
}
