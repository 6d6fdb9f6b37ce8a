import { memoryLedger } from '../../test/harness.js';
import { accept, codeOf, lineOf, postSheet, sheetOf, stored } from '../../test/sheet.js';
import { lent, paid } from '../lending/examples.js';
import { closed, openUntil, type Sent } from '../lending/scenario.js';

const ON = '2021-07-15';
const GROUND = sheetOf(lent(ON));
const PAYMENT = lineOf(paid(ON, 1_000), 'pay');

const lentLedger = async () => {
  const place = await memoryLedger();
  await accept(place.ledger, GROUND);
  return place;
};

describe('the same key with the same body', () => {
  it('is answered as the first time, and writes nothing', async () => {
    const { ledger, store } = await lentLedger();
    const first = await ledger.handle(PAYMENT);
    const before = await stored(store);
    expect(await ledger.handle(PAYMENT)).toEqual({ ...first, duplicate: true });
    expect(await stored(store)).toEqual(before);
  });

  it('is known after a restart, for every command of a sheet', async () => {
    const { ledger, store, readStore } = await lentLedger();
    await accept(ledger, [PAYMENT]);
    await ledger.close();
    const before = await stored(store);
    const again = await memoryLedger({ store, readStore });
    const answers = await accept(again.ledger, [...GROUND, PAYMENT]);
    expect(answers.map((answer) => answer.accepted && answer.duplicate)).toEqual(answers.map(() => true));
    expect(answers.every((answer) => answer.accepted && answer.events.length > 0)).toBe(true);
    expect(await stored(store)).toEqual(before);
  });

  it('is known after years of history', async () => {
    const { ledger, store, readStore } = await lentLedger();
    const first = await ledger.handle(PAYMENT);
    const years: Sent[] = [2022, 2023, 2024].flatMap((year) => [
      openUntil(`${year}-07-15`),
      paid(`${year}-07-15`, 1_000, { receipt: `R-${year}` }),
    ]);
    await accept(ledger, sheetOf(years, 'year'));
    const again = await memoryLedger({ store, readStore });
    expect(await again.ledger.handle(PAYMENT)).toMatchObject({
      duplicate: true,
      events: first.accepted && first.events,
    });
  });

  it('at the same moment from two callers is written once', async () => {
    const { ledger, store } = await lentLedger();
    const answers = await Promise.all([ledger.handle(PAYMENT), ledger.handle(PAYMENT), ledger.handle(PAYMENT)]);
    expect(answers.map((answer) => answer.accepted && answer.duplicate).sort()).toEqual([false, true, true]);
    expect((await stored(store)).filter(({ type }) => type === 'InstallmentPaid')).toHaveLength(1);
  });

  it('twice in one sheet is written once', async () => {
    const { ledger, store } = await lentLedger();
    const answers = await postSheet(ledger, [
      PAYMENT,
      PAYMENT,
      lineOf(paid(ON, 1, { receipt: 'R-2' }), 'other'),
      PAYMENT,
    ]);
    expect(answers.map((answer) => answer.accepted && answer.duplicate)).toEqual([false, true, false, true]);
    expect((await stored(store)).filter(({ type }) => type === 'InstallmentPaid')).toHaveLength(2);
  });

  it('twice in one sheet pays out once, though a disbursement takes two appends', async () => {
    const { ledger, store } = await memoryLedger();
    const [disbursement] = GROUND.slice(-1);
    const answers = await accept(ledger, [...GROUND, ...GROUND.slice(-1)]);
    expect(answers.at(-1)).toMatchObject({ duplicate: true, events: [{ type: 'LoanDisbursed' }] });
    expect(disbursement?.command).toBe('disburse-loan');
    expect((await stored(store)).filter(({ type }) => type === 'CapitalCommitted')).toHaveLength(1);
  });

  it('may have an amount as text or as a number, and another actor', async () => {
    const { ledger } = await lentLedger();
    await accept(ledger, [PAYMENT]);
    const asText = { ...PAYMENT, actor: 'someone-else', data: { ...PAYMENT.data, amount: '1000' } };
    expect(await ledger.handle(asText)).toMatchObject({ accepted: true, duplicate: true });
  });

  it('is looked up before anything else is checked', async () => {
    const { ledger } = await lentLedger();
    await accept(ledger, [PAYMENT]);
    expect(await ledger.handle({ ...PAYMENT, ifMatch: 0 })).toMatchObject({ accepted: true, duplicate: true });
  });

  it('of a close is answered as the first time', async () => {
    const { ledger } = await lentLedger();
    const close = lineOf(closed(ON), 'close');
    const first = await ledger.handle(close);
    expect(first).toMatchObject({ events: [{ type: 'BusinessDayClosing' }, { type: 'BusinessDayClosed' }] });
    expect(await ledger.handle(close)).toEqual({ ...first, duplicate: true });
  });
});

describe('the same key with another body', () => {
  it.each([
    ['amount', { ...PAYMENT, data: { ...PAYMENT.data, amount: 2_000 } }],
    ['value date', { ...PAYMENT, valueDate: '2021-07-14' }],
    ['data that cannot be read', { ...PAYMENT, data: { ...PAYMENT.data, amount: -1, fees: [] } }],
    ['command', { ...PAYMENT, command: 'approve-loan', data: { loan: 'L', amount: 1, decision: '1' } }],
    ['value date that is none', { ...PAYMENT, valueDate: 'yesterday' }],
  ])('is refused for another %s, before anything else is checked', async (_, line) => {
    const { ledger } = await lentLedger();
    await accept(ledger, [PAYMENT]);
    expect(codeOf(await ledger.handle({ ...line, ifMatch: 0 }))).toBe('KEY_REUSED');
  });

  it('is another command on another stream', async () => {
    const { ledger } = await lentLedger();
    const register = lineOf(
      ['register-group', ON, { group: 'G', district: '001', commune: '00001', massOrganisation: 'WOMEN' }],
      'k-0',
    );
    expect(await ledger.handle(register)).toMatchObject({ accepted: true, duplicate: false });
  });
});

describe('a key', () => {
  it('is free after a refusal, for the same body or another', async () => {
    const { ledger } = await lentLedger();
    expect(codeOf(await ledger.handle({ ...PAYMENT, valueDate: '2021-07-16' }))).toBe('VALUE_DATE_AFTER_OPEN_DAY');
    expect(await ledger.handle(PAYMENT)).toMatchObject({ accepted: true, duplicate: false });
  });

  it('of a close that wrote nothing is free', async () => {
    const { ledger } = await lentLedger();
    await accept(ledger, [lineOf(closed(ON), 'close')]);
    const quiet = await ledger.handle(lineOf(closed(ON), 'again'));
    expect(quiet).toMatchObject({ accepted: true, duplicate: false, events: [] });
    expect(await ledger.handle(lineOf(closed('2021-07-16'), 'again'))).toMatchObject({
      accepted: true,
      duplicate: false,
    });
  });

  it.each([
    ['KEY_MISSING', undefined],
    ['KEY_MISSING', null],
    ['KEY_MISSING', ''],
    ['KEY_INVALID', '~close-2021-07-15'],
    ['KEY_INVALID', 'a b'],
    ['KEY_INVALID', 'x'.repeat(201)],
    ['KEY_INVALID', 7],
  ])('is refused as %s when it is %j', async (code, id) => {
    const { ledger } = await lentLedger();
    expect(codeOf(await ledger.handle({ ...PAYMENT, id }))).toBe(code);
    expect(await ledger.handle({ ...PAYMENT, id: 'x'.repeat(200) })).toMatchObject({ accepted: true });
  });
});

describe('If-Match', () => {
  it.each([3, '3', '"3"'])('%j takes the stream as last seen', async (ifMatch) => {
    const { ledger } = await lentLedger();
    await accept(ledger, [PAYMENT]);
    const next = lineOf(paid(ON, 1, { receipt: 'R-2' }), 'next');
    expect(await ledger.handle({ ...next, ifMatch })).toMatchObject({ accepted: true });
  });

  it('-1 takes a stream that must not exist', async () => {
    const { ledger } = await lentLedger();
    const programme = { ...GROUND[0]?.data, programme: 'Q' };
    const open = lineOf(['open-programme', ON, programme], 'open');
    expect(await ledger.handle({ ...open, ifMatch: -1 })).toMatchObject({ accepted: true });
    expect(codeOf(await ledger.handle({ ...PAYMENT, ifMatch: -1 }))).toBe('REVISION_MOVED');
  });

  it('misses a stream that moved, and names where it stands', async () => {
    const { ledger } = await lentLedger();
    const answer = await ledger.handle({ ...PAYMENT, ifMatch: 1 });
    expect(answer).toMatchObject({ refusal: { code: 'REVISION_MOVED', params: { revision: 2 } } });
  });

  it.each(['x', '3.5', -2, '*', {}])('%j is none', async (ifMatch) => {
    const { ledger } = await lentLedger();
    expect(codeOf(await ledger.handle({ ...PAYMENT, ifMatch }))).toBe('IF_MATCH_INVALID');
  });
});

describe('a request', () => {
  it.each([
    ['COMMAND_UNKNOWN', { command: 'mark-overdue' }],
    ['COMMAND_UNKNOWN', { command: 7 }],
    ['ACTOR_INVALID', { actor: 'two words' }],
    ['ACTOR_INVALID', { actor: 'x'.repeat(65) }],
    ['FIELD_UNKNOWN', { note: 'x' }],
    ['FIELD_MISSING', { valueDate: undefined }],
    ['DATE_INVALID', { valueDate: '2021-02-30' }],
    ['INSTANT_INVALID', { recordedAt: 'now' }],
    ['FIELD_MISSING', { data: undefined }],
    ['OBJECT_INVALID', { data: [] }],
  ])('is refused as %s with %j', async (code, change) => {
    const { ledger, store } = await lentLedger();
    const before = await stored(store);
    expect(codeOf(await ledger.handle({ ...PAYMENT, ...change }))).toBe(code);
    expect(await stored(store)).toEqual(before);
  });

  it('has an actor and a correlation of its own, or the defaults', async () => {
    const { ledger, store } = await lentLedger();
    const { actor: _, ...nobody } = PAYMENT;
    await ledger.handle(nobody);
    await ledger.handle(lineOf(paid(ON, 1, { receipt: 'R-2' }), 'next'), { correlationId: 'trace-1' });
    const marks = (await stored(store)).slice(-2).map(({ meta }) => [meta.actor, meta.correlationId, meta.commandId]);
    expect(marks).toEqual([
      ['anonymous', 'loan-L pay', 'loan-L pay'],
      ['chi-nhanh', 'trace-1', 'loan-L next'],
    ]);
  });
});
