import fc from 'fast-check';
import { memoryLedger } from './harness.js';
import { history } from './model/generate.js';

const RUNS = Number(process.env.HISTORIES ?? 60);

describe('a generated history', () => {
  it('is accepted and refused line by line as the slow model says', async () => {
    await fc.assert(
      fc.asyncProperty(history(), async ({ lines, answers }) => {
        const { ledger } = await memoryLedger();
        for (const [index, line] of lines.entries()) {
          const answer = await ledger.handle(line);
          const expected = answers[index];
          const found = answer.accepted
            ? {
                outcome: answer.duplicate ? 'duplicate' : 'accepted',
                events: answer.events.map(({ type }) => type).filter((type) => type !== 'BusinessDayClosing'),
              }
            : { outcome: 'refused', code: answer.refusal.code };
          const where = `line ${index + 1} ${JSON.stringify(line)}: ${JSON.stringify(found)}`;
          if (expected?.outcome === 'refused') expect([where, found.outcome]).toEqual([where, 'refused']);
          else expect([where, found]).toEqual([where, expected]);
        }
        await ledger.close();
      }),
      { numRuns: RUNS },
    );
  });
});
