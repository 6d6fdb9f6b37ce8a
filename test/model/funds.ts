import { principalOf } from './allocation.js';
import { sum } from './exact.js';
import { type Dimensions, type DistrictFundKey, type Fact, type FundKey, ofType } from './facts.js';

/** What moves the money of the programme, with the fund and district that it belongs to. */
export type Measure = 'funded' | 'allocated' | 'reallocated' | 'disbursed' | 'collected' | 'returned';
export interface Movement {
  readonly measure: Measure;
  readonly fund: FundKey & { readonly district: string | null };
  readonly amount: bigint;
  readonly fact: Fact;
}

/** "A loan's dimensions are those recorded with its application and never change." */
export const dimensionsOf = (facts: readonly Fact[]): ReadonlyMap<string, Dimensions> =>
  new Map(ofType(facts, 'LoanApplied').map((fact) => [fact.loan, fact.dimensions]));

export const movements = (facts: readonly Fact[]): Movement[] => {
  const dimensions = dimensionsOf(facts);
  const ofLoan = (loan: string): DistrictFundKey => {
    const found = dimensions.get(loan);
    if (found === undefined) throw new Error(`a fact of loan ${loan} is known before its application`);
    return found;
  };
  return facts.flatMap((fact): Movement[] => {
    switch (fact.type) {
      case 'TrancheFunded':
        return [{ measure: 'funded', fund: { ...fundOf(fact), district: null }, amount: fact.amount, fact }];
      case 'CapitalAllocated':
        return [{ measure: 'allocated', fund: fact, amount: fact.amount, fact }];
      case 'CapitalReallocated':
        return [
          {
            measure: 'reallocated',
            fund: { ...fundOf(fact), district: fact.fromDistrict },
            amount: -fact.amount,
            fact,
          },
          { measure: 'reallocated', fund: { ...fundOf(fact), district: fact.toDistrict }, amount: fact.amount, fact },
        ];
      case 'LoanDisbursed':
        return [{ measure: 'disbursed', fund: ofLoan(fact.loan), amount: fact.amount, fact }];
      case 'InstallmentPaid':
        return [{ measure: 'collected', fund: ofLoan(fact.loan), amount: principalOf(fact.allocation), fact }];
      case 'PaymentReversed':
        return [{ measure: 'collected', fund: ofLoan(fact.loan), amount: -fact.principal, fact }];
      case 'PrincipalReturned':
        return [{ measure: 'returned', fund: fact, amount: fact.amount, fact }];
      default:
        return [];
    }
  });
};

export const fundOf = ({ programme, source }: FundKey): FundKey => ({ programme, source });

export const sameFund = (a: FundKey, b: FundKey): boolean => a.programme === b.programme && a.source === b.source;

const total = (moved: readonly Movement[], ...measures: readonly Measure[]): bigint =>
  sum(moved.filter((move) => measures.includes(move.measure)).map((move) => move.amount));

export interface FundFigures {
  readonly funded: bigint;
  /** Funded and not yet given to a district. */
  readonly unallocated: bigint;
}
export const fundFigures = (facts: readonly Fact[], fund: FundKey): FundFigures => {
  const own = movements(facts).filter((move) => sameFund(move.fund, fund));
  return { funded: total(own, 'funded'), unallocated: total(own, 'funded') - total(own, 'allocated') };
};

export interface DistrictFigures {
  readonly allocated: bigint;
  readonly disbursed: bigint;
  readonly collected: bigint;
  readonly returned: bigint;
  /** The district fund's own balance: allocated in, less disbursed, plus the principal that closes returned. */
  readonly balance: bigint;
}
export const districtFigures = (moved: readonly Movement[]): DistrictFigures => {
  const allocated = total(moved, 'allocated', 'reallocated');
  const disbursed = total(moved, 'disbursed');
  const returned = total(moved, 'returned');
  return {
    allocated,
    disbursed,
    collected: total(moved, 'collected'),
    returned,
    balance: allocated - disbursed + returned,
  };
};

export const ofDistrict = (moved: readonly Movement[], key: DistrictFundKey): Movement[] =>
  moved.filter((move) => sameFund(move.fund, key) && move.fund.district === key.district);

export const districtBalance = (facts: readonly Fact[], key: DistrictFundKey): bigint =>
  districtFigures(ofDistrict(movements(facts), key)).balance;

/** Every district fund that a set of facts speaks of. */
export const districtFunds = (moved: readonly Movement[]): DistrictFundKey[] => {
  const keys = new Map<string, DistrictFundKey>();
  for (const { fund } of moved)
    if (fund.district !== null) {
      const { programme, source, district } = fund;
      keys.set(`${programme} ${source} ${district}`, { programme, source, district });
    }
  return [...keys.values()];
};
