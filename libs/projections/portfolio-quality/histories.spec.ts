import fc from 'fast-check';
import { addDays, addMonths, earlierOf, type LocalDate, monthOf } from '../../kernel/dates.js';
import { asOfDays, plans, play, recordedDays } from '../testing/histories.js';
import type { TestLedger } from '../testing/ledger.js';
import { recount } from '../testing/recount.js';
import { ask, changesOf, TinyView, viewOf } from '../testing/view.js';
import { portfolioQualityByMonthQuery } from './by-month.js';
import { DIMENSIONS } from './documents.js';
import { portfolioQuality } from './project.js';
import { portfolioQualityQuery } from './query.js';

interface Probe {
  readonly asOf: number;
  readonly knownOn: number;
  readonly from: number;
}

const probes = fc.array(fc.record({ asOf: fc.nat(), knownOn: fc.nat(), from: fc.nat() }), {
  minLength: 8,
  maxLength: 8,
});

function daysOf(ledger: TestLedger, probe: Probe) {
  const [asOfs, recorded] = [asOfDays(ledger), recordedDays(ledger)];
  const pick = (days: readonly LocalDate[], n: number) => days[n % days.length] as LocalDate;
  const asOf = pick(asOfs, probe.asOf);
  // One in five knows everything; the rest end on a day of recording, or the day after one.
  const knownOn = probe.knownOn % 5 === 0 ? null : addDays(pick(recorded, probe.knownOn), probe.knownOn % 2);
  const from = probe.from % 3 === 0 ? null : pick(asOfs, probe.from);
  return { asOf, knownOn, from, since: from ?? (`${asOf.slice(0, 4)}-01-01` as LocalDate) };
}

describe('portfolio quality of generated histories', () => {
  test('is what counting the loans again gives, as of any day, as known on any day', async () => {
    await fc.assert(
      fc.asyncProperty(plans({ loans: 1, steps: 30 }), probes, async (plan, asked) => {
        const ledger = play(plan);
        const view = viewOf(portfolioQuality, ledger.events);
        for (const probe of asked) {
          const { asOf, knownOn, from, since } = daysOf(ledger, probe);
          const answer = await ask(portfolioQualityQuery, view, { from }, { asOf, knownOn });
          const { rows, total } = recount(ledger.events, { asOf, knownOn, from: since });
          expect(answer.rows).toHaveLength(rows > 0 ? 1 : 0);
          expect(answer.total).toMatchObject({ ...total, inTerm: total.outstanding - total.overdue });
        }
      }),
      { numRuns: 40 },
    );
  });

  test('breaks down by any dimensions', async () => {
    const by = fc.subarray([...DIMENSIONS], { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(plans({ loans: 3, steps: 24 }), by, probes, async (plan, keys, [probe]) => {
        const ledger = play(plan);
        const view = viewOf(portfolioQuality, ledger.events);
        const { asOf, knownOn, from, since } = daysOf(ledger, probe as Probe);
        const answer = await ask(portfolioQualityQuery, view, { from, by: keys.join() }, { asOf, knownOn });
        let loans = 0;
        for (const row of answer.rows) {
          const own = recount(ledger.events, { asOf, knownOn, from: since }, (of) =>
            keys.every((key) => of[key] === row[key]),
          );
          loans += own.rows;
          expect(row).toMatchObject(own.total);
        }
        const all = recount(ledger.events, { asOf, knownOn, from: since });
        expect(loans).toBe(all.rows);
        expect(answer.total).toMatchObject(all.total);
      }),
      { numRuns: 30 },
    );
  });

  test('by month, is what each month answers alone', async () => {
    const by = fc.subarray([...DIMENSIONS]);
    await fc.assert(
      fc.asyncProperty(plans({ loans: 3, steps: 24 }), by, probes, async (plan, keys, [probe]) => {
        const ledger = play(plan);
        const view = viewOf(portfolioQuality, ledger.events);
        const { asOf, knownOn, from } = daysOf(ledger, probe as Probe);
        const asked = { by: keys.join() };
        const answer = await ask(portfolioQualityByMonthQuery, view, { ...asked, from }, { asOf, knownOn });
        const rows = [];
        let begins = `${monthOf(from ?? addMonths(asOf, -11))}-01` as LocalDate;
        expect(answer.from).toBe(begins);
        for (; begins <= asOf; begins = addMonths(begins, 1)) {
          const last = earlierOf(addDays(addMonths(begins, 1), -1), asOf);
          const alone = await ask(portfolioQualityQuery, view, { ...asked, from: begins }, { asOf: last, knownOn });
          rows.push(...alone.rows.map((row) => ({ month: monthOf(begins), asOf: last, ...row })));
        }
        expect(answer.rows).toEqual(rows);
      }),
      { numRuns: 40 },
    );
  });

  test('does not depend on the order between streams, nor on how partitions split them', () => {
    fc.assert(
      fc.property(plans({ loans: 3, steps: 24 }), fc.infiniteStream(fc.nat({ max: 2 })), (plan, dice) => {
        const { events } = play(plan);
        const streams = [...new Set(events.map(({ stream }) => stream))];
        const partitionOf = new Map(streams.map((stream) => [stream, dice.next().value as number]));
        const split = new TinyView();
        for (const partition of [2, 0, 1]) {
          for (const event of events) {
            if (partitionOf.get(event.stream) === partition) split.apply(changesOf(portfolioQuality, [event]));
          }
        }
        expect(split.rows()).toEqual(viewOf(portfolioQuality, events).rows());
      }),
      { numRuns: 10 },
    );
  });
});
