import { addDays, type Day, yearOf } from './exact.js';
import { ofType } from './facts.js';
import { CLASSES, MASS } from './fields.js';
import { districtBalance, fundFigures } from './funds.js';
import { borrowersOf, command, DECISION, firstDay, PROGRAMMES, SOURCES, valueDateFrom, type World } from './world.js';

const BILLION = 1_000_000_000;

export const openProgrammeStep = (world: World, programme: string, day: Day): void => {
  const { random } = world;
  const year = yearOf(day) + random.below(3) - 1;
  const targets = Array.from({ length: 1 + random.below(3) }, (_, index) => ({
    year: year + 2 * index,
    capital: random.pick([0, 550 * BILLION, 10 ** 15]),
    jobs: random.pick([0, 1, 25_100]),
    collectionRateAtLeast: random.pick(['0.98', '0.5', '1', '0']),
    overdueRatioBelow: random.pick(['0.0005', '0.2', '0.666667', '1']),
  }));
  const name = 'Cho vay giải quyết việc làm';
  const data = { programme, name, plan: DECISION, from: day, to: addDays(day, 1800), targets };
  command(world, 'open-programme', day, data);
};

export const publishPolicyStep = (world: World, programme: string, everyone = false): void => {
  const { random } = world;
  const first = firstDay(world);
  command(world, 'publish-policy', valueDateFrom(world, first), {
    programme,
    ...(everyone || random.chance(0.5) ? {} : { source: random.pick(SOURCES) }),
    ...(everyone || random.chance(0.5) ? {} : { borrowerClass: random.pick(['POOR', 'NEAR_POOR', 'ENTERPRISE']) }),
    effectiveFrom: everyone ? addDays(first, -600) : addDays(first, random.below(900) - 300),
    annualRate: random.pick(['0.0792', '0.0396', '0.079248', '0', '0.999999999999', '0.123456789012']),
    overdueFactor: random.pick(['1.3', '1.3', '1', '10', '1.300000000001']),
    maxPerJob: random.pick([100_000_000, 10 ** 15, 10 ** 15]),
    maxPerLoan: random.pick([2 * BILLION, 10 ** 15]),
    maxTermMonths: random.pick([24, 120, 120, 600]),
    arrearsOrder: random.pick(['INTEREST_FIRST', 'PRINCIPAL_FIRST']),
    dueDayRoll: random.pick(['NONE', 'FOLLOWING']),
    decision: random.pick(['74/2019', '338/2025']),
  });
};

const someFund = (world: World): { programme: string; source: string } => ({
  programme: world.random.chance(0.7) ? PROGRAMMES[0] : PROGRAMMES[1],
  source: world.random.pick(SOURCES),
});

export const fundStep = (world: World, fund = someFund(world)): void => {
  const amount = world.random.pick([1, 3 * BILLION, 550 * BILLION, 10 ** 15]);
  command(world, 'fund-tranche', valueDateFrom(world, firstDay(world)), { ...fund, amount, decision: DECISION });
};

/** What is there: all of it, part of it, or one đồng more (refused). */
const ofWhatThereIs = (world: World, there: bigint): number => {
  const amount = world.random.pick([there, there / 2n, there / 3n, BigInt(BILLION), there + 1n, 1n]);
  return Number(amount < 1n ? 1n : amount > 10n ** 15n ? 10n ** 15n : amount);
};

export const allocateStep = (world: World, fund = someFund(world)): void => {
  const there = fundFigures(world.model.facts, fund).unallocated;
  command(world, 'allocate-capital', valueDateFrom(world, firstDay(world)), {
    ...fund,
    district: world.random.pick(world.districts),
    amount: ofWhatThereIs(world, there),
    decision: DECISION,
  });
};

export const reallocateStep = (world: World): void => {
  const fund = someFund(world);
  const fromDistrict = world.random.pick(world.districts);
  const toDistrict = world.random.pick(world.districts.filter((district) => district !== fromDistrict));
  const there = districtBalance(world.model.facts, { ...fund, district: fromDistrict });
  command(world, 'reallocate-capital', valueDateFrom(world, firstDay(world)), {
    ...fund,
    fromDistrict,
    toDistrict,
    amount: ofWhatThereIs(world, there),
    decision: DECISION,
  });
};

export const groupStep = (world: World): void => {
  const count = ofType(world.model.facts, 'GroupRegistered').length;
  if (count >= 4) return;
  command(world, 'register-group', valueDateFrom(world, firstDay(world)), {
    group: `G${count + 1}`,
    district: world.random.pick(world.districts),
    commune: world.random.pick(['00001', '00292', '10441']),
    massOrganisation: world.random.pick(MASS),
  });
};

export const borrowerStep = (world: World): void => {
  const { random } = world;
  const count = borrowersOf(world).length;
  if (count >= 8) return;
  const groups = ofType(world.model.facts, 'GroupRegistered');
  const group = groups.length > 0 && random.chance(0.6) ? random.pick(groups) : null;
  command(world, 'register-borrower', valueDateFrom(world, firstDay(world)), {
    borrower: `B${count + 1}`,
    kind: random.pick(['WORKER', 'WORKER', 'ESTABLISHMENT']),
    borrowerClass: random.pick(['POOR', 'NEAR_POOR', 'ENTERPRISE']),
    district: group === null || random.chance(0.05) ? random.pick(world.districts) : group.district,
    commune: random.pick(['00001', '00292']),
    ...(group === null ? {} : { group: group.group }),
  });
};

export const reclassifyStep = (world: World): void => {
  const borrowers = borrowersOf(world);
  if (borrowers.length === 0) return;
  command(world, 'reclassify-borrower', valueDateFrom(world, firstDay(world)), {
    borrower: world.random.pick(borrowers),
    borrowerClass: world.random.pick(CLASSES),
    decision: 'QD-7',
  });
};

/** Plenty for two of the districts, a little for the third, and something left. */
const endow = (world: World, fund: { programme: string; source: string }): void => {
  const day = firstDay(world);
  const decision = DECISION;
  const amount = world.random.pick([3 * BILLION, 550 * BILLION, 10 ** 15]);
  command(world, 'fund-tranche', day, { ...fund, amount, decision });
  for (const [index, district] of world.districts.entries()) {
    const share = index === 0 ? world.random.pick([1_000_000, 40_000_000]) : Math.floor(amount / 3);
    command(world, 'allocate-capital', day, { ...fund, district, amount: share, decision });
  }
};

/** Two programmes, money in three districts, groups and borrowers: mostly accepted. */
export const prelude = (world: World, day: Day): void => {
  for (const programme of PROGRAMMES) openProgrammeStep(world, programme, day);
  for (const programme of PROGRAMMES) publishPolicyStep(world, programme, true);
  for (let count = world.random.below(4); count > 0; count--) publishPolicyStep(world, world.random.pick(PROGRAMMES));
  for (const programme of PROGRAMMES) for (const source of SOURCES) endow(world, { programme, source });
  for (let count = 3; count > 0; count--) groupStep(world);
  for (let count = 5; count > 0; count--) borrowerStep(world);
};
