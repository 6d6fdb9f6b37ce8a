import type { Envelope } from '../kernel/envelope.js';

/** How much text is gathered before it is handed on. */
const PIECE_CHARACTERS = 64 * 1024;

/** Events as NDJSON, in pieces of whole lines. */
export async function* textOf(events: AsyncIterable<Envelope>): AsyncGenerator<string> {
  let text = '';
  for await (const event of events) {
    text += `${JSON.stringify(event)}\n`;
    if (text.length < PIECE_CHARACTERS) continue;
    yield text;
    text = '';
  }
  if (text !== '') yield text;
}
