import { createHash } from 'node:crypto';
import type { LocalDate } from '../../../libs/kernel/dates.js';
import { FIRST_DAY, LAST_DAY, nameOf, type Parameters, scaleText, targetOf, YEARS } from './programme.js';
import { Random } from './random.js';
import type { Line } from './sheet.js';
import { simulate } from './simulation.js';

const whole = (scale: number, seed = 7): Parameters => ({ scale, seed, from: FIRST_DAY, to: LAST_DAY });

function* linesOf(parameters: Parameters): Generator<Line> {
  for (const { lines } of simulate(parameters)) yield* lines;
}

function hashOf(parameters: Parameters): string {
  const hash = createHash('sha256');
  for (const line of linesOf(parameters)) hash.update(`${JSON.stringify(line)}\n`);
  return hash.digest('hex');
}

describe('the lines of a simulation', () => {
  const quarter: Parameters = { scale: 10_000, seed: 7, from: FIRST_DAY, to: '2021-06-30' as LocalDate };

  it('are the same bytes for the same parameters, on any machine', () => {
    // Golden: a program that makes other lines cannot go on with a simulation that an earlier one began.
    expect(hashOf(quarter)).toBe('a49e8fe58e790a4903add22a11a173d1a7a7656fc2db5e2a114d46d66f30b0a4');
    expect(hashOf({ ...quarter, seed: 8 })).not.toBe(hashOf(quarter));
    expect(hashOf({ ...quarter, scale: 10_001 })).not.toBe(hashOf(quarter));
  });

  it('begin with the parameters in the first key, and a shorter period is the beginning of a longer one', () => {
    const [first] = linesOf(quarter);
    expect(first?.request).toMatchObject({ command: 'open-programme', id: nameOf(quarter), valueDate: FIRST_DAY });
    const [short, long] = [[...linesOf(quarter)], [...linesOf({ ...quarter, to: '2021-08-31' as LocalDate })]];
    expect(long.slice(1, short.length)).toEqual(short.slice(1));
  });

  it('are recorded in order, within their days, and every day is closed', () => {
    let [last, closes] = ['', 0];
    for (const { lines, day } of simulate(quarter)) {
      for (const { request } of lines) {
        expect(request.recordedAt >= last).toBe(true);
        last = request.recordedAt;
      }
      expect(lines.at(-1)?.request).toMatchObject({ command: 'close-business-day', data: { date: day.date } });
      expect(last).toBe(`${day.date}T10:30:00.000Z`);
      closes++;
    }
    expect(closes).toBe(181);
  });

  it('may begin and end within the plan', () => {
    const lines = [
      ...linesOf({ scale: 2_000, seed: 7, from: '2023-05-10' as LocalDate, to: '2024-02-29' as LocalDate }),
    ];
    expect(lines.filter(({ request }) => request.command === 'fund-tranche')).toHaveLength(2);
    expect(lines.filter(({ request }) => request.command === 'disburse-loan').length).toBeGreaterThan(30);
  });
});

describe('the programme at a twentieth', () => {
  const SCALE = 50_000;
  const counts = new Map<string, number>();
  const refusals = new Map<string, number>();
  const jobs = new Map<string, number>();
  const members = new Map<string, number>();
  const tranches: number[] = [];
  const methods = new Map<string, number>();
  const communes = new Set<unknown>();
  const classes = new Set<unknown>();
  const districts = new Set<unknown>();
  let parts = 0;
  const count = (map: Map<string, number>, key: string, more = 1) => map.set(key, (map.get(key) ?? 0) + more);

  beforeAll(() => {
    const jobsOfLoan = new Map<unknown, number>();
    for (const { request, refusal } of linesOf(whole(SCALE))) {
      const { command, data, valueDate = '' } = request;
      if (refusal !== null) {
        count(refusals, refusal);
        continue;
      }
      count(counts, command);
      if (command === 'fund-tranche') tranches.push(data.amount as number);
      if (command === 'allocate-capital') districts.add(data.district);
      if (command === 'apply-for-loan') jobsOfLoan.set(data.loan, data.jobs as number);
      if (command === 'register-group') communes.add(data.commune);
      if (command === 'register-borrower') {
        classes.add(data.borrowerClass);
        if (data.group !== undefined) count(members, data.group as string);
      }
      if (command === 'record-payment') count(methods, data.method as string);
      if (command === 'disburse-loan' && request.id === 'part-1') {
        count(jobs, valueDate.slice(0, 4), jobsOfLoan.get(data.loan));
      }
      if (request.id === 'part-2') parts++;
    }
  });

  it('has the tranches of the plan, scaled, for thirty districts', () => {
    expect(tranches).toEqual([27_500_000_000, 25_000_000_000, 25_000_000_000, 25_000_000_000, 25_000_000_000]);
    expect(districts.size).toBe(30);
    expect(counts.get('reallocate-capital')).toBeGreaterThanOrEqual(10);
  });

  it('makes the jobs of each year, within 4 % of the target', () => {
    for (const year of YEARS) {
      const share = (jobs.get(`${year.year}`) ?? 0) / targetOf(year, SCALE);
      expect([year.year, share >= 0.96 && share <= 1.04]).toEqual([year.year, true]);
    }
  });

  it('has receipts for most of its lines: so many for each loan that the whole has about ten million events', () => {
    const loans = (counts.get('disburse-loan') ?? 0) - parts;
    const receipts = counts.get('record-payment') ?? 0;
    expect(receipts / loans).toBeGreaterThan(50);
    expect(receipts / loans).toBeLessThan(65);
    expect([...methods.keys()].sort()).toEqual(['CASH', 'GROUP_LEADER', 'TRANSFER']);
    for (const [, times] of methods) expect(times / receipts).toBeGreaterThan(0.05);
  });

  it('has groups of at most sixty, every class but none of its own making, and loans in parts', () => {
    expect(Math.max(...members.values())).toBeLessThanOrEqual(60);
    expect(classes.size).toBe(11);
    expect(communes.size).toBeGreaterThan(200);
    expect(communes.size).toBeLessThanOrEqual(579);
    expect(parts).toBeGreaterThan(100);
  });

  it('has mistakes: reversals, rejections, reclassifications, and commands that are refused', () => {
    for (const command of ['reverse-payment', 'reject-loan', 'reclassify-borrower']) {
      expect([command, (counts.get(command) ?? 0) > 50]).toEqual([command, true]);
    }
    expect([...refusals.keys()].sort()).toEqual([
      'CAPITAL_INSUFFICIENT',
      'CAPITAL_NOT_FUNDED',
      'GROUP_LEADER_PRINCIPAL',
      'LIMIT_PER_JOB',
      'PAYMENT_ABOVE_DUE',
      'RECEIPT_ALREADY_USED',
    ]);
  });
});

describe('small parts', () => {
  it('draw the same numbers from the same seed, evenly', () => {
    const random = new Random(2 ** 40 + 159);
    expect(Array.from({ length: 5 }, () => random.below(1_000))).toEqual([275, 408, 751, 247, 316]);
    const drawn = [0, 0, 0, 0];
    for (let index = 0; index < 40_000; index++) {
      const value = random.below(4);
      drawn[value] = (drawn[value] ?? 0) + 1;
    }
    for (const times of drawn) expect(Math.abs(times - 10_000)).toBeLessThan(500);
  });

  it.each([
    [1_000_000, '1'],
    [1_000, '0.001'],
    [12_500_000, '12.5'],
    [1, '0.000001'],
  ])('say a scale of %d millionths as %s', (scale, text) => expect(scaleText(scale)).toBe(text));
});
