import type { Envelope } from '../../../kernel/envelope.js';
import { allocated, applied, approved, disbursed, funded, ground, MONEY, opened } from '../../examples.js';
import { finish, given, type History, nextOf, type Sent } from '../../scenario.js';
import { capitalTransfer } from './capital-transfer.js';

const ON = '2021-07-15';
const FUND = 'districtFund-P:001:CITY';
const CAPITAL = given(opened(ON), funded(ON, 1_000), allocated(ON, 600));
const reallocated: Sent = ['reallocate-capital', ON, { ...MONEY, fromDistrict: '001', toDistrict: '002', amount: 400 }];
const LOAN = given(...ground(ON), applied(ON), approved(ON));

/** Each command that takes several appends, one event an append. */
const TRANSFERS: readonly (readonly [what: string, history: History, sent: Sent, appends: number])[] = [
  ['an allocation', given(opened(ON), funded(ON, 1_000)), allocated(ON, 600), 2],
  ['a reallocation', CAPITAL, reallocated, 3],
  ['a disbursement', LOAN, disbursed(ON), 2],
];

const lastOf = (history: History) => history.world.all.at(-1) as Envelope;

describe.each(TRANSFERS)('%s', (_, history, sent, appends) => {
  const whole = history.after(sent).world.all;

  it('leaves nothing to do when it is whole', () => {
    expect(whole.length - history.world.all.length).toBe(appends);
    for (const event of whole) {
      if (capitalTransfer.opensOn.includes(event.type)) expect(nextOf(history.after(sent).world, event)).toBeNull();
    }
  });

  it.each(Array.from({ length: appends - 1 }, (_, index) => [index + 1]))(
    'is finished with the same events when a crash came after append %d',
    (count) => {
      const cut = history.cutAfter(sent, count);
      expect(nextOf(cut.world, lastOf(cut))).toEqual(nextOf(cut.world, lastOf(cut)));
      expect(finish(cut.world, [lastOf(cut)])).toMatchObject({ refusal: null, world: { all: whole } });
    },
  );

  it('keeps what is unfinished by the id of its event, until its end is there', () => {
    const open = new Map<string, unknown>();
    for (const event of whole) {
      if (capitalTransfer.keys(event).length === 0) continue;
      for (const { key, value } of capitalTransfer.evolve(open, event)) {
        if (value === null) open.delete(key);
        else open.set(key, value);
      }
      expect(open.size).toBe(event === whole.at(-1) || event.type === 'CapitalReceived' ? 0 : 1);
    }
  });
});

describe('a disbursement that lost a race between its two appends', () => {
  // Another part was recorded on the loan after the commitment: the second append is refused.
  const committed = LOAN.cutAfter(disbursed(ON, { amount: 30_000_000 }), 1);
  const commitment = lastOf(committed);
  const raced = committed.after(disbursed(ON, { amount: 40_000_000, voucher: 'V-2' }));

  it('releases its capital and stands for the refusal', () => {
    const { world, refusal } = finish(raced.world, [commitment]);
    expect(refusal).toMatchObject({ code: 'DISBURSEMENT_ABOVE_APPROVAL' });
    expect(world.all.at(-1)).toMatchObject({
      type: 'CapitalReleased',
      stream: FUND,
      data: { loan: 'L', voucher: 'V-1', amount: 30_000_000 },
      meta: { causationId: commitment.id, bookingDate: commitment.meta.bookingDate },
    });
    expect(world.streams.get(FUND)?.state).toMatchObject({ available: 10 ** 12 - 40_000_000 });
  });

  it('is released once', () => {
    const { world } = finish(raced.world, [commitment]);
    expect(nextOf(world, commitment)).toBeNull();
    expect(finish(world, [commitment]).world.all).toEqual(world.all);
  });
});

describe('what opens a transfer', () => {
  it('is nothing else', () => {
    const [openedLedger] = CAPITAL.world.all;
    expect(() => capitalTransfer.next(openedLedger as Envelope, {}, false)).toThrow('leaves nothing to do');
  });
});
