import type { Ledger } from '../../libs/engine/ledger.js';
import { addDays, addMonths, type LocalDate } from '../../libs/kernel/dates.js';
import { invariant } from '../../libs/kernel/result.js';
import { programmeStream } from '../../libs/lending/vocabulary.js';
import { runSheet } from '../../libs/surface/bulk/sheet.js';

/*
 * A small ledger to look at, made of the same lines that anyone could post: three districts, six loans, nine months of
 * payments, one of them late. A simulated ledger: each line says when it was recorded.
 */

const FIRST_DAY = '2021-01-04' as LocalDate;
const LAST_DAY = '2021-09-30' as LocalDate;
const ACTOR = 'sample';
const PROGRAMME = 'hanoi-employment';
const SOURCE = 'city-budget';
const AMOUNT = 60_000_000;
const TERM_MONTHS = 24;
const EVERY_MONTHS = 6;
/** An instalment of 15 million and half a year's interest; the rest is prepaid. */
const PAYMENT = 18_000_000;

const PLACES = [
  { district: '268', commune: '09552', massOrganisation: 'WOMEN' },
  { district: '016', commune: '00376', massOrganisation: 'FARMERS' },
  { district: '271', commune: '09619', massOrganisation: 'VETERANS' },
] as const;
const CLASSES = ['POOR', 'NEAR_POOR', 'DISABLED', 'OTHER', 'ETHNIC_MINORITY', 'PRODUCTION_MODEL'] as const;
/** The loan that pays nothing: there is something to see in every figure. */
const LATE_LOAN = 5;

interface SampleLine {
  readonly day: LocalDate;
  readonly command: string;
  readonly id: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/**
 * Executes the sample's lines on an empty ledger, or those that an interrupted start left: the keys of the others are
 * known. A ledger of one's own is left alone.
 */
export async function makeSample(ledger: Ledger): Promise<void> {
  const { first, open } = await ledger.calendar();
  if (first !== null && (open === null || open >= LAST_DAY || !(await isSample(ledger)))) return;
  const results: string[] = [];
  const bytes = Buffer.from(sampleLines().map(textOf).join(''), 'utf8');
  const counts = await runSheet(ledger, pieces(bytes), (text) => results.push(text), { language: 'en' });
  invariant(counts.accepted === counts.lines, `the sample is accepted: ${results.join('').match(/.*"code".*/)?.[0]}`);
}

async function isSample({ store }: Ledger): Promise<boolean> {
  for await (const { meta } of store.readStream(programmeStream(PROGRAMME), { limit: 1 })) return meta.actor === ACTOR;
  return false;
}

function sampleLines(): readonly SampleLine[] {
  const day = FIRST_DAY;
  const lines: SampleLine[] = [
    { day, command: 'open-programme', id: 'programme', data: programme() },
    { day, command: 'publish-policy', id: 'policy', data: policy() },
    {
      ...{ day, command: 'fund-tranche', id: 'tranche-1' },
      data: { programme: PROGRAMME, source: SOURCE, amount: 2_000_000_000, decision: '159/KH-UBND' },
    },
    ...PLACES.flatMap((place, index) => placeLines(place, index)),
    ...CLASSES.flatMap((borrowerClass, index) => loanLines(borrowerClass, index)),
  ];
  return withCloses([...lines].sort((a, b) => (a.day < b.day ? -1 : a.day > b.day ? 1 : 0)));
}

function programme() {
  const target = (year: number) => ({
    ...{ year, capital: 1_200_000_000, jobs: 40 },
    ...{ collectionRateAtLeast: '0.98', overdueRatioBelow: '0.0005' },
  });
  return {
    ...{ programme: PROGRAMME, name: 'Cho vay giải quyết việc làm', plan: '159/KH-UBND' },
    ...{ from: '2021-01-01', to: '2025-12-31', targets: [2021, 2022, 2023, 2024, 2025].map(target) },
  };
}

const policy = () => ({
  ...{ programme: PROGRAMME, effectiveFrom: '2021-01-01', annualRate: '0.0792', overdueFactor: '1.3' },
  ...{ maxPerJob: 100_000_000, maxPerLoan: 2_000_000_000, maxTermMonths: 120 },
  ...{ arrearsOrder: 'INTEREST_FIRST', dueDayRoll: 'FOLLOWING', decision: '74/2019/ND-CP' },
});

function placeLines(place: (typeof PLACES)[number], index: number): SampleLine[] {
  const { district } = place;
  const data = {
    programme: PROGRAMME,
    source: SOURCE,
    district,
    amount: 400_000_000,
    decision: `${index + 1}/QD-UBND`,
  };
  return [
    { day: FIRST_DAY, command: 'allocate-capital', id: `allocation-${district}`, data },
    { day: FIRST_DAY, command: 'register-group', id: 'group', data: { group: `G${index + 1}`, ...place } },
  ];
}

function loanLines(borrowerClass: (typeof CLASSES)[number], index: number): SampleLine[] {
  const place = PLACES[index % PLACES.length];
  invariant(place !== undefined, 'there is a place for every loan');
  const { district, commune } = place;
  const [loan, borrower, group] = [`L${index + 1}`, `B${index + 1}`, `G${(index % PLACES.length) + 1}`];
  const day = addDays(FIRST_DAY, 14 + index * 7);
  const terms = { termMonths: TERM_MONTHS, installmentEveryMonths: EVERY_MONTHS, jobs: 1 + (index % 3) };
  const purpose = 'Chăn nuôi bò sinh sản';
  const lines: SampleLine[] = [
    {
      ...{ day, command: 'register-borrower', id: 'borrower' },
      data: { borrower, kind: 'WORKER', borrowerClass, district, commune, group },
    },
    {
      ...{ day, command: 'apply-for-loan', id: 'application' },
      data: { loan, borrower, programme: PROGRAMME, source: SOURCE, amount: AMOUNT, ...terms, purpose },
    },
    {
      day: addDays(day, 1),
      command: 'approve-loan',
      id: 'approval',
      data: { loan, amount: AMOUNT, decision: `PD-${loan}` },
    },
    {
      day: addDays(day, 2),
      command: 'disburse-loan',
      id: 'part-1',
      data: { loan, amount: AMOUNT, voucher: `PC-${loan}` },
    },
  ];
  if (index === LATE_LOAN) return lines;
  const paid = addMonths(addDays(day, 2), EVERY_MONTHS);
  const data = { loan, amount: PAYMENT, receipt: `BL-${loan}-1`, method: 'CASH' };
  return [...lines, { day: paid, command: 'record-payment', id: 'payment-1', data }];
}

/** The days are closed up to each next day on which something happens, and then to the end. */
function withCloses(lines: readonly SampleLine[]): readonly SampleLine[] {
  const found: SampleLine[] = [];
  let open = FIRST_DAY;
  const closeBefore = (day: LocalDate) => {
    if (day <= open) return;
    const date = addDays(day, -1);
    // Recorded on the day that it closes.
    found.push({ day: date, command: 'close-business-day', id: `close-${date}`, data: { date } });
    open = day;
  };
  for (const line of lines) {
    closeBefore(line.day);
    found.push(line);
  }
  closeBefore(LAST_DAY);
  return found;
}

function textOf({ day, command, id, data }: SampleLine): string {
  // 16:00 in Vietnam; a close comes at the day's end.
  const hour = command === 'close-business-day' ? '11' : '09';
  const line = { command, id, actor: ACTOR, valueDate: day, data, recordedAt: `${day}T${hour}:00:00.000Z` };
  return `${JSON.stringify(line)}\n`;
}

async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes;
}
