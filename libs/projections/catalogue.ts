import { auditTrail } from './audit-trail/project.js';
import { auditTrailQuery } from './audit-trail/query.js';
import { capitalPlan } from './capital-plan/project.js';
import { capitalPlanQuery } from './capital-plan/query.js';
import { capitalIdentityQuery } from './district-balances/capital-identity.js';
import { districtBalances } from './district-balances/project.js';
import { districtBalancesQuery } from './district-balances/query.js';
import { invariants } from './invariants/project.js';
import { invariantsQuery } from './invariants/query.js';
import { loan } from './loan/project.js';
import { loanQuery } from './loan/query.js';
import { statementQuery } from './loan/statement.js';
import { portfolioQualityByMonthQuery } from './portfolio-quality/by-month.js';
import { portfolioQuality } from './portfolio-quality/project.js';
import { portfolioQualityQuery } from './portfolio-quality/query.js';
import type { Projection, Query } from './projection.js';

/* Every read model and every query that reads one. Nothing is said first here. */

/** Those that take longest to build come first: threads that build are dealt them in this order (measured). */
export const projections: readonly Projection[] = [
  portfolioQuality,
  loan,
  auditTrail,
  districtBalances,
  capitalPlan,
  invariants,
];

export const queries: readonly Query[] = [
  portfolioQualityQuery,
  portfolioQualityByMonthQuery,
  districtBalancesQuery,
  capitalIdentityQuery,
  capitalPlanQuery,
  loanQuery,
  statementQuery,
  auditTrailQuery,
  invariantsQuery,
];
