import { SourceDamaged, TargetDiffers } from '../../engine/import-history.js';
import { FollowerBehind, FollowerHalted, TokenUnknown } from '../../engine/ledger.js';
import { StoreUnavailable } from '../../event-store/port.js';
import type { Refusal } from '../../kernel/decider.js';
import type { Problem } from '../../kernel/fields.js';
import { invariant } from '../../kernel/result.js';
import { fill, type RefusalCode, type RefusalKind, refusals, refuse } from '../../lending/refusals.js';
import { ReadStoreUnavailable } from '../../read-store/port.js';
import { FIELD_CHARACTERS_MAX, PROBLEMS_MAX } from '../config.js';
import type { Language } from './negotiate.js';

/** Problem details (RFC 9457) with a stable code, the fields, and what would be accepted. */
export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly Problem[];
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
/** The code of what is nobody's mistake but ours. It is in no table: there is nothing that would be accepted. */
export const INTERNAL_ERROR = 'INTERNAL_ERROR';

export const STATUS_OF_KIND: Readonly<Record<RefusalKind, number>> = {
  malformed: 400,
  unknown: 404,
  unsupported: 405,
  conflict: 409,
  precondition: 412,
  'too-large': 413,
  'key-reused': 422,
  unavailable: 503,
};

const TITLES: Readonly<Record<RefusalKind, Readonly<Record<Language, string>>>> = {
  malformed: { en: 'The request cannot be read', vi: 'Yêu cầu không hợp lệ' },
  unknown: { en: 'There is no such thing', vi: 'Không tìm thấy' },
  unsupported: { en: 'The method does not fit', vi: 'Phương thức không phù hợp' },
  conflict: { en: 'It does not fit what is recorded', vi: 'Không khớp với dữ liệu đã ghi' },
  precondition: { en: 'It has changed meanwhile', vi: 'Dữ liệu đã thay đổi' },
  'too-large': { en: 'It is too large', vi: 'Quá lớn' },
  'key-reused': { en: 'The key was used before', vi: 'Khóa đã được dùng' },
  unavailable: { en: 'The service cannot do it now', vi: 'Dịch vụ tạm thời không thực hiện được' },
};

/** A refusal that is on its way to whoever turns it into an answer. */
export class RequestRefused extends Error {
  override readonly name = 'RequestRefused';
  constructor(readonly refusal: Refusal) {
    super(refusal.code);
  }
}

/** Ends a request with a refusal of the table. */
export function refused(
  code: RefusalCode,
  field: string,
  params: Readonly<Record<string, string | number>> = {},
): RequestRefused {
  return new RequestRefused(refuse(code, field, params).error);
}

export function problemOf(refusal: Refusal, language: Language): ProblemDetails {
  const entry = refusals[refusal.code as RefusalCode];
  invariant(entry !== undefined, `${refusal.code} is in the table of refusals`);
  return {
    type: `urn:socai:refusal:${refusal.code}`,
    title: TITLES[entry.kind][language],
    status: STATUS_OF_KIND[entry.kind],
    code: refusal.code,
    detail: fill(entry[language], refusal.params),
    errors: bounded(refusal.errors),
  };
}

export function internalProblem(language: Language): ProblemDetails {
  return {
    type: 'about:blank',
    title: language === 'vi' ? 'Lỗi nội bộ' : 'Internal error',
    status: 500,
    code: INTERNAL_ERROR,
    detail:
      language === 'vi'
        ? 'Đã xảy ra lỗi; nhật ký của dịch vụ có chi tiết. Có thể gửi lại với cùng khóa.'
        : 'Something went wrong, and the log of the service says what. The same request may be sent again with the same key.',
    errors: [],
  };
}

/** The refusal that an error stands for, or null when it is a mistake of ours. */
export function refusalOfError(error: unknown): Refusal | null {
  if (error instanceof RequestRefused) return error.refusal;
  if (error instanceof FollowerBehind) return refuse('READ_MODEL_BEHIND', 'after').error;
  if (error instanceof TokenUnknown) return refuse('TOKEN_INVALID', 'after').error;
  if (error instanceof FollowerHalted) return refuse('READ_MODEL_HALTED', '', { name: error.model }).error;
  if (error instanceof SourceDamaged) return refuse('DATA_DAMAGED', '', { detail: error.message }).error;
  if (error instanceof TargetDiffers) return refuse('IMPORT_TARGET_DIFFERS', '', { detail: error.message }).error;
  if (error instanceof StoreUnavailable || error instanceof ReadStoreUnavailable) {
    return refuse(CODE_OF_FAULT[error.code], '', { detail: error.message, holder: 'another process' }).error;
  }
  return null;
}

export const problemOfError = (error: unknown, language: Language): ProblemDetails => {
  const refusal = refusalOfError(error);
  return refusal === null ? internalProblem(language) : problemOf(refusal, language);
};

const CODE_OF_FAULT: Readonly<Record<StoreUnavailable['code'], RefusalCode>> = {
  DISK_FULL: 'DISK_FULL',
  DATA_DAMAGED: 'DATA_DAMAGED',
  DATA_FOREIGN: 'DATA_FOREIGN',
  DATA_READ_ONLY: 'LEDGER_READ_ONLY',
  DATA_HELD: 'LEDGER_HELD',
  UNREACHABLE: 'STORE_UNREACHABLE',
  NO_LEADER: 'STORE_UNREACHABLE',
  UNAUTHORIZED: 'STORE_REFUSES',
  APPEND_REFUSED: 'STORE_REFUSES',
  OUTCOME_UNKNOWN: 'OUTCOME_UNKNOWN',
  STORE_CLOSED: 'SHUTTING_DOWN',
};

/** A body can name thousands of fields that there are not: the answer names the first of them. */
function bounded(errors: readonly Problem[]): readonly Problem[] {
  return errors
    .slice(0, PROBLEMS_MAX)
    .map((error) =>
      error.field.length > FIELD_CHARACTERS_MAX
        ? { ...error, field: error.field.slice(0, FIELD_CHARACTERS_MAX) }
        : error,
    );
}
