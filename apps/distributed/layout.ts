import { invariant } from '../../libs/kernel/result.js';
import { type Layout, layoutOf } from '../../libs/messaging/layout.js';

/**
 * How many partitions each category has: of loans as many as projectors may ever share the work, and of the others what
 * they write beside them. Stored format: a category that comes later is put last.
 */
const PARTITIONS: Readonly<Record<string, number>> = {
  businessDay: 1,
  programme: 1,
  policy: 1,
  fund: 1,
  districtFund: 4,
  group: 2,
  borrower: 4,
  loan: 12,
};

/**
 * The layout of a ledger, with other counts where it is told so: `loan=24,borrower=8`. Of a ledger that has begun a count
 * never changes, and all its processes are told the same: topics that have other ones are refused by name.
 */
export function layoutFor(text: string): Layout {
  const counts = new Map(Object.entries(PARTITIONS));
  for (const part of text.split(',').filter((one) => one !== '')) {
    const [, category = '', count = ''] = /^(\w+)=(\d{1,4})$/.exec(part) ?? [];
    invariant(counts.has(category), `SOCAI_PARTITIONS names categories and counts, as in loan=24: ${part}`);
    counts.set(category, Number(count));
  }
  return layoutOf([...counts].map(([category, partitions]) => ({ category, partitions })));
}
