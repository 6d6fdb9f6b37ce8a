import { addDays, dayNumber, type LocalDate } from '../../kernel/dates.js';
import type { LoanAnswer } from '../../projections/loan/query.js';
import type { Statement, StatementLine } from '../../projections/loan/statement.js';
import { html, type Markup } from './html.js';
import {
  type Frame,
  mark,
  type Point,
  pathOf,
  percentOf,
  picture,
  readable,
  type Scales,
  scalesOf,
  stepsOf,
  stretched,
} from './picture.js';
import type { Pen } from './shown.js';

/*
 * A loan's life: what is outstanding as a line of steps, what would be by its schedule as a dashed one, and between the
 * two, where the loan is behind, a hatched field. After the day of the figures only the schedule goes on.
 */

const FRAME: Frame = { height: 260, left: 0.01, right: 0.02, top: 26, bottom: 28 };

/** From a day on, so much. */
interface Level {
  readonly day: number;
  readonly amount: number;
}

export function loanChart(pen: Pen, loan: LoanAnswer, statement: Statement): Markup {
  const { texts, figures } = pen;
  const first = loan.disbursements[0];
  if (first === undefined) return html``;
  const [begin, now] = [dayNumber(first.valueDate), dayNumber(loan.asOf)];
  const lastDue = Math.max(begin, ...loan.installments.map(({ dueDate }) => dayNumber(dueDate)));
  const end = Math.max(lastDue, now, begin + 30) + 5;
  const [balance, planned] = [balanceOf(statement), plannedOf(loan)];
  // An instalment is behind from the day after its due day.
  const allowed = plannedOf(loan, 1);
  const highest = Math.max(1, ...balance.map(({ amount }) => amount), ...planned.map(({ amount }) => amount));
  const scales = scalesOf(FRAME, [0, highest]);
  const across = (day: number) => scales.across((day - begin) / (end - begin));
  const pointsOf = (levels: readonly Level[], until: number): readonly Point[] => {
    const within = levels.filter(({ day }) => day <= until);
    const closing = { day: until, amount: within.at(-1)?.amount ?? 0 };
    return stepsOf([...within, closing].map(({ day, amount }) => [across(day), scales.down(amount)]));
  };
  const drawn = html`${yearTicks(begin, end, across)}${highestLine(pen, highest, scales)}
${stretched(FRAME.height, html`<path class="behind" d="${behindPath(balance, allowed, now, across, scales)}"></path><path class="schedule" d="${pathOf(pointsOf(planned, end))}"></path><path class="balance" d="${pathOf(pointsOf(balance, now))}"></path>`)}
${nowLine(pen, loan, across(now))}${statement.lines.map((line) => entryMark(line, statement, across, scales))}`;
  const says = texts.chartSays(figures.money(loan.outstanding), figures.money(loan.overdue), figures.day(loan.asOf));
  const name = texts.chartName(loan.loan);
  const strips = stripsOf(pen, { loan, statement, balance, planned, allowed, end, across });
  return readable(
    'loan-chart',
    texts.pointAt,
    picture({ id: 'loan-chart', name, says, height: FRAME.height }, drawn),
    strips,
    FRAME.height,
  );
}

function balanceOf({ lines }: Statement): readonly Level[] {
  return lines.map(({ valueDate, balance }) => ({ day: dayNumber(valueDate), amount: balance }));
}

/** What would be outstanding if each instalment were paid on its day, or so many days after it. */
function plannedOf({ disbursements, installments }: LoanAnswer, late = 0): readonly Level[] {
  const changes = [
    ...disbursements.map(({ valueDate, amount }) => ({ day: dayNumber(valueDate), change: Number(amount) })),
    ...installments.map(({ dueDate, principal }) => ({ day: dayNumber(dueDate) + late, change: -principal })),
  ].sort((a, b) => a.day - b.day);
  let amount = 0;
  return changes.map(({ day, change }) => {
    amount += change;
    return { day, amount };
  });
}

const levelOn = (levels: readonly Level[], day: number): number =>
  levels.findLast((level) => level.day <= day)?.amount ?? 0;

/** Where more is outstanding than is allowed to be. */
function behindPath(
  balance: readonly Level[],
  allowed: readonly Level[],
  now: number,
  across: (day: number) => number,
  { down }: Scales,
): string {
  const days = [...new Set([...balance, ...allowed].map(({ day }) => day).concat(now))]
    .filter((day) => day <= now)
    .sort((a, b) => a - b);
  let path = '';
  for (const [index, day] of days.entries()) {
    const next = days[index + 1] ?? day;
    const [high, low] = [levelOn(balance, day), levelOn(allowed, day)];
    if (high <= low || next === day) continue;
    const corners: Point[] = [
      [across(day), down(high)],
      [across(next), down(high)],
      [across(next), down(low)],
      [across(day), down(low)],
    ];
    path += `${pathOf(corners)}Z`;
  }
  return path;
}

function yearTicks(begin: number, end: number, across: (day: number) => number): Markup {
  const base = FRAME.height - FRAME.bottom;
  const ticks = [];
  for (let year = 1990; year < 2200; year++) {
    const day = dayNumber(`${year}-01-01` as LocalDate);
    if (day < begin || day > end) continue;
    const at = percentOf(across(day));
    ticks.push(
      html`<line class="tick" x1="${at}" x2="${at}" y1="${FRAME.top}" y2="${base + 5}"></line><text class="label" x="${at}" y="${base + 20}">${year}</text>`,
    );
  }
  return html`<line class="axis" x1="0" x2="100%" y1="${base}" y2="${base}"></line>${ticks}`;
}

function highestLine({ figures }: Pen, highest: number, { down }: Scales): Markup {
  const at = down(highest);
  return html`<line class="tick" x1="0" x2="100%" y1="${at}" y2="${at}"></line><text class="label" x="100%" y="${at + 16}" text-anchor="end">${figures.rounded(highest)}</text>`;
}

function nowLine({ texts, figures }: Pen, { asOf, outstanding }: LoanAnswer, share: number): Markup {
  const at = percentOf(share);
  const anchor = share > 0.6 ? 'end' : 'start';
  return html`<line class="now" x1="${at}" x2="${at}" y1="${FRAME.top - 8}" y2="${FRAME.height - FRAME.bottom}"></line>${mark(share, FRAME.top - 12, html`<text class="label" x="${anchor === 'end' ? -4 : 4}" text-anchor="${anchor}">${texts.today} ${figures.day(asOf)}: <tspan class="value">${figures.rounded(outstanding)}</tspan></text>`)}`;
}

const reversedReceipts = ({ lines }: Statement): ReadonlySet<string | null> =>
  new Set(lines.filter(({ type }) => type === 'PaymentReversed').map(({ receipt }) => receipt));

/** A dot for what was paid, a ring for what was taken back, a square for what was lent. */
function entryMark(
  line: StatementLine,
  statement: Statement,
  across: (day: number) => number,
  { down }: Scales,
): Markup {
  const [share, at] = [across(dayNumber(line.valueDate)), down(line.balance)];
  if (line.type === 'LoanDisbursed')
    return mark(share, at, html`<rect class="mark lent" x="-4" y="-4" width="8" height="8"></rect>`);
  const taken = line.type === 'PaymentReversed' || reversedReceipts(statement).has(line.receipt);
  return mark(share, at, html`<circle class="mark ${taken ? 'taken' : 'paid'}" r="2.5"></circle>`);
}

interface Read {
  readonly loan: LoanAnswer;
  readonly statement: Statement;
  readonly balance: readonly Level[];
  readonly planned: readonly Level[];
  readonly allowed: readonly Level[];
  readonly end: number;
  readonly across: (day: number) => number;
}

/** A strip from each day on which something happens, or should have, to the next. */
function stripsOf(pen: Pen, { loan, statement, balance, planned, allowed, end, across }: Read) {
  const { texts, figures } = pen;
  const now = dayNumber(loan.asOf);
  const days = [...new Set([...balance, ...planned].map(({ day }) => day).concat(now))].sort((a, b) => a - b);
  const dayText = (day: number) => figures.day(addDays('1970-01-01' as LocalDate, day));
  return days.map((day, index) => {
    const [due, before] = [levelOn(planned, day), levelOn(allowed, day)];
    const owed = levelOn(balance, Math.min(day, now));
    const said =
      day > now
        ? `${dayText(day)}: ${texts.bySchedule} ${figures.money(due)}`
        : texts.onDay(dayText(day), figures.money(owed), figures.money(due)) +
          (owed > before ? texts.behindBy(figures.money(owed - before)) : '');
    const entries = statement.lines
      .filter(({ valueDate }) => dayNumber(valueDate) === day)
      .map((line) => entryText(pen, line));
    return { from: across(day), to: across(days[index + 1] ?? end), says: said + entries.join('') };
  });
}

function entryText({ texts, figures }: Pen, { type, amount, receipt, voucher }: StatementLine): string {
  const money = figures.money(amount);
  if (type === 'LoanDisbursed') return texts.lentOn(money, voucher ?? '');
  return type === 'InstallmentPaid' ? texts.paidOn(money, receipt ?? '') : texts.reversedOn(money, receipt ?? '');
}
