import type { Day } from './exact.js';

/** A line of the bulk file. */
export interface Line {
  readonly command: string;
  readonly id: string;
  readonly actor?: string;
  readonly valueDate?: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly recordedAt?: string;
  readonly ifMatch?: number;
}

/** What the model says of a line; `events` are the types on the stream that the command is about. */
export type Answer =
  | { readonly outcome: 'accepted' | 'duplicate'; readonly events: readonly string[] }
  | { readonly outcome: 'refused'; readonly reason: string };

export const ALLOCATION = [
  'interestInTerm',
  'interestOverdue',
  'principalOverdue',
  'principalDue',
  'principalPrepaid',
] as const;
export type AllocationField = (typeof ALLOCATION)[number];
export type Allocation = Readonly<Record<AllocationField, bigint>>;

export interface Portion {
  readonly installment: number;
  readonly dueDate: Day;
  readonly principal: bigint;
}

export interface Target {
  readonly year: number;
  readonly capital: bigint;
  readonly jobs: number;
  readonly collectionRateAtLeast: string;
  readonly overdueRatioBelow: string;
}

export interface Terms {
  readonly annualRate: string;
  readonly overdueFactor: string;
  readonly maxPerJob: bigint;
  readonly maxPerLoan: bigint;
  readonly maxTermMonths: number;
  readonly arrearsOrder: string;
  readonly dueDayRoll: string;
}

export interface Dimensions {
  readonly programme: string;
  readonly source: string;
  readonly district: string;
  readonly commune: string;
  readonly massOrganisation: string;
  readonly group: string | null;
  readonly borrowerClass: string;
}

/** A fund is kept per programme and source, a district's fund per district besides. */
export type FundKey = Pick<Dimensions, 'programme' | 'source'>;
export type DistrictFundKey = Pick<Dimensions, 'programme' | 'source' | 'district'>;

/** When a fact counts, when it was entered, when it was known. */
export interface Entry {
  readonly stream: string;
  readonly valueDate: Day;
  readonly bookingDate: Day;
  readonly recordedDay: Day;
}

export type Content =
  | { readonly type: 'ProgrammeOpened'; readonly programme: string; readonly targets: readonly Target[] }
  | {
      readonly type: 'PolicyPublished';
      readonly programme: string;
      readonly source: string | null;
      readonly borrowerClass: string | null;
      readonly effectiveFrom: Day;
      readonly terms: Terms;
    }
  | ({ readonly type: 'TrancheFunded'; readonly amount: bigint } & FundKey)
  | ({ readonly type: 'CapitalAllocated'; readonly amount: bigint } & DistrictFundKey)
  | ({
      readonly type: 'CapitalReallocated';
      readonly amount: bigint;
      readonly fromDistrict: string;
      readonly toDistrict: string;
    } & FundKey)
  | { readonly type: 'GroupRegistered'; readonly group: string; readonly district: string; readonly mass: string }
  | {
      readonly type: 'BorrowerRegistered';
      readonly borrower: string;
      readonly kind: string;
      readonly borrowerClass: string;
      readonly district: string;
      readonly commune: string;
      readonly group: string | null;
    }
  | { readonly type: 'BorrowerReclassified'; readonly borrower: string; readonly borrowerClass: string }
  | {
      readonly type: 'LoanApplied';
      readonly loan: string;
      readonly kind: string;
      readonly dimensions: Dimensions;
      readonly amount: bigint;
      readonly termMonths: number;
      readonly every: number;
      readonly jobs: number;
    }
  | { readonly type: 'LoanApproved'; readonly loan: string; readonly amount: bigint; readonly terms: Terms }
  | { readonly type: 'LoanRejected'; readonly loan: string }
  | {
      readonly type: 'LoanDisbursed';
      readonly loan: string;
      readonly amount: bigint;
      readonly voucher: string;
      readonly jobs: number;
      readonly shares: readonly Portion[];
    }
  | {
      readonly type: 'InstallmentPaid';
      readonly loan: string;
      readonly amount: bigint;
      readonly receipt: string;
      readonly method: string;
      readonly allocation: Allocation;
      readonly portions: readonly Portion[];
    }
  | { readonly type: 'PaymentReversed'; readonly loan: string; readonly receipt: string; readonly principal: bigint }
  | { readonly type: 'LoanSettled' | 'LoanReopened'; readonly loan: string }
  | { readonly type: 'LoanOverdue'; readonly loan: string; readonly installment: number; readonly amount: bigint }
  | ({ readonly type: 'PrincipalReturned'; readonly amount: bigint } & DistrictFundKey)
  | { readonly type: 'BusinessDayClosed' };

export type Fact = Entry & Content;
export type FactOf<T extends Fact['type']> = Extract<Fact, { readonly type: T }>;

export const ofType = <T extends Fact['type']>(facts: readonly Fact[], type: T): FactOf<T>[] =>
  facts.filter((fact): fact is FactOf<T> => fact.type === type);

/** Every figure is computed from the facts that count by `asOf` and were recorded by the end of `knownOn`. */
export const known = (facts: readonly Fact[], asOf: Day, knownOn: Day): Fact[] =>
  facts.filter((fact) => fact.valueDate <= asOf && fact.recordedDay <= knownOn);

export class Refusal extends Error {}
export const refuse = (reason: string): never => {
  throw new Refusal(reason);
};
/** One check a line. */
export const must = (holds: boolean, reason: string): void => {
  if (!holds) refuse(reason);
};
