import { addDays } from './exact.js';
import type { Line } from './facts.js';
import { asText, booksOf, command, firstDay, openDay, send, stamp, type World } from './world.js';

const numberOrText = (data: Line['data']): Line['data'] =>
  typeof data.amount === 'string' ? { ...data, amount: Number(data.amount) } : asText(data);

/** A line that was accepted, sent again: as it was, by another, with the amount as text; or with another body. */
export const duplicateStep = (world: World): void => {
  const { random } = world;
  const accepted = world.lines.filter((_, index) => world.answers[index]?.outcome === 'accepted');
  if (accepted.length === 0) return;
  const { recordedAt: _, ...line } = random.pick(accepted);
  const again = { ...line, ...stamp(world) };
  const other = addDays(line.valueDate ?? openDay(world), -1);
  send(
    world,
    random.pick([
      again,
      again,
      { ...again, actor: 'someone-else' },
      { ...again, data: numberOrText(line.data) },
      { ...again, data: { ...line.data, ...('amount' in line.data ? { amount: 7 } : { decision: 'QD-77' }) } },
      { ...again, valueDate: other, data: 'date' in line.data ? { date: other } : line.data },
    ]),
  );
};

/** "after the cause is mended the same sheet can be posted again" */
export const retryStep = (world: World): void => {
  const refused = world.lines.filter((_, index) => world.answers[index]?.outcome === 'refused');
  if (refused.length === 0) return;
  const { recordedAt: _, ...line } = world.random.pick(refused);
  send(world, { ...line, ...stamp(world) });
};

/** One thing wrong with a line that would be accepted without it. */
export const invalidStep = (world: World): void => {
  const { random } = world;
  const good = random.pick(world.lines);
  const { data } = good;
  const names = Object.keys(data);
  const without = Object.fromEntries(Object.entries(data).filter(([name]) => name !== names[0]));
  const id = `bad-${world.lines.length}`;
  const bad = (change: Partial<Line>): void => {
    send(world, { ...good, id, ...stamp(world), ...change });
  };
  random.pick<() => void>([
    () => bad({ data: { ...data, unheardOf: 1 } }),
    () => bad({ data: without }),
    () => bad({ data: { ...data, amount: random.pick<unknown>([0, -5, 1.5, '12x', 10 ** 15 + 1, null, '']) } }),
    () => bad({ data: { ...data, district: '999' } }),
    () => bad({ data: { ...data, borrowerClass: 'RICH' } }),
    () => bad({ data: { ...data, loan: 'L99' } }),
    () => bad({ data: { ...data, loan: 'L 1' } }),
    () => bad({ data: { ...data, programme: 'P9' } }),
    () => bad({ data: { ...data, decision: 'with a space' } }),
    () => bad({ data: { ...data, date: '2023-02-29' } }),
    () => bad({ id: `~${id}` }),
    () => bad({ command: 'forgive-loan' }),
    () => bad({ valueDate: addDays(openDay(world), 1), data: 'date' in data ? without : data }),
    () => bad({ valueDate: addDays(firstDay(world), -1), data: 'date' in data ? without : data }),
    () => bad({ valueDate: '2023-02-30', data: 'date' in data ? without : data }),
  ])();
};

/** Commands well made in a wrong moment. */
export const wrongMomentStep = (world: World): void => {
  const { random } = world;
  const books = booksOf(world);
  if (books.length === 0) return;
  const { application } = random.pick(books);
  const { loan } = application;
  const day = openDay(world);
  const fund = { programme: application.dimensions.programme, source: application.dimensions.source };
  const order = { amount: 10 ** 15, decision: 'QD-3' };
  random.pick<() => void>([
    () => command(world, 'approve-loan', day, { loan, amount: 1, decision: 'QD-1' }),
    () => command(world, 'reject-loan', day, { loan, reason: 'too late', decision: 'QD-1' }),
    () => command(world, 'disburse-loan', day, { loan, amount: 1, voucher: 'V-X' }),
    () => command(world, 'record-payment', day, { loan, amount: 1, receipt: 'R-X', method: 'CASH' }),
    () => command(world, 'reverse-payment', day, { loan, receipt: 'R-none', reason: 'none', decision: 'QD-9' }),
    () => command(world, 'allocate-capital', day, { ...fund, ...order, district: application.dimensions.district }),
    () => command(world, 'fund-tranche', day, { ...fund, ...order }),
    () => command(world, 'open-programme', day, { ...(world.lines[0]?.data ?? {}) }),
    () => command(world, 'close-business-day', '2199-12-31', { date: '2199-12-31' }),
  ])();
};
