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

export async function rebuild(
  ledger: Ledger,
  name: string,
  progress: (events: number) => void,
): Promise<RebuildReport> {
  if (!readModelNames(ledger).includes(name)) throw unknownProjection(ledger, name);
  const [report] = await ledger.rebuild([name], progress);
  return report as RebuildReport;
}

function unknownProjection(ledger: Ledger, name: string): RequestRefused {
  return refused('PROJECTION_UNKNOWN', 'name', {
    name: name.slice(0, 100),
    accepted: readModelNames(ledger).join(', '),
  });
}
