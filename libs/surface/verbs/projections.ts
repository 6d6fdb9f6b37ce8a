import type { FollowerStatus } from '../../engine/answers.js';
import type { Ledger, RebuildReport } from '../../engine/ledger.js';
import type { RequestRefused } from '../formats/problem.js';
import { refused } from '../formats/problem.js';

/** Read models by name; processes follow too, but there is nothing of them to rebuild. */
export function readModelNames(ledger: Ledger): readonly string[] {
  const names = ledger.followers().filter(({ kind }) => kind === 'projection');
  return [...new Set(names.map(({ name }) => name))];
}

export const listFollowers = (ledger: Ledger): { readonly projections: readonly FollowerStatus[] } => ({
  projections: ledger.followers(),
});

/** A halted follower tries its event again. */
export function retry(ledger: Ledger, name: string): { readonly name: string; readonly retried: true } {
  if (!ledger.retry(name)) throw unknownProjection(ledger, name);
  return { name, retried: true };
}

/** Several are built at once: each event is read once a core for all that are built on it. */
export async function rebuild(
  ledger: Ledger,
  names: readonly string[],
  progress: (events: number, of: number) => void,
): Promise<readonly RebuildReport[]> {
  const unknown = names.find((name) => !readModelNames(ledger).includes(name));
  if (unknown !== undefined) throw unknownProjection(ledger, unknown);
  return ledger.rebuild([...new Set(names)], progress);
}

export function unknownProjection(ledger: Ledger, name: string): RequestRefused {
  return refused('PROJECTION_UNKNOWN', 'name', {
    name: name.slice(0, 100),
    accepted: readModelNames(ledger).join(', '),
  });
}
