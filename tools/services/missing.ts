/** What a server needs is not to be had here: `message` names it. Nothing is wrong with the server. */
export class Missing extends Error {
  override readonly name = 'Missing';
}

/** The exit code of a command that could start nothing of what it was asked for (`EX_UNAVAILABLE`). */
export const EXIT_MISSING = 69;
