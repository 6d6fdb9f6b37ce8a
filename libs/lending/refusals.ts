import type { Refusal } from '../kernel/decider.js';
import { err } from '../kernel/result.js';

/*
 * Every refusal there is: a stable code, its kind (which gives the HTTP status), what would be accepted, and its text.
 * `{name}` is filled with the refusal's parameters. A test walks this table, and every code has a case.
 */

export type RefusalKind =
  /** The request itself cannot be read. */
  | 'malformed'
  /** It speaks of something that is not there. */
  | 'unknown'
  /** It does not fit what is recorded. */
  | 'conflict'
  /** The caller's own concurrency check missed. */
  | 'precondition'
  /** Larger than a named bound. */
  | 'too-large'
  /** The key was used with another body. */
  | 'key-reused'
  /** Not in this state of the service: ask again later, or mend what is named. */
  | 'unavailable'
  | 'unsupported';

interface Entry {
  readonly kind: RefusalKind;
  readonly accepted: string;
  readonly en: string;
  readonly vi: string;
}

const malformed = (accepted: string, en: string, vi: string): Entry => ({ kind: 'malformed', accepted, en, vi });
const unknown = (accepted: string, en: string, vi: string): Entry => ({ kind: 'unknown', accepted, en, vi });
const conflict = (accepted: string, en: string, vi: string): Entry => ({ kind: 'conflict', accepted, en, vi });
const of = (kind: RefusalKind, accepted: string, en: string, vi: string): Entry => ({ kind, accepted, en, vi });

export const refusals = {
  // ---- the request
  BODY_NOT_JSON: malformed('one JSON object', 'The body is not JSON.', 'Nội dung không phải là JSON.'),
  LINE_NOT_JSON: malformed('one JSON object a line', 'The line is not JSON.', 'Dòng này không phải là JSON.'),
  LINE_INCOMPLETE: malformed(
    'a last line that is complete JSON',
    'The input ends in the middle of this line.',
    'Dữ liệu kết thúc giữa dòng này.',
  ),
  LINE_TOO_LARGE: of(
    'too-large',
    'a line of at most {max} bytes',
    'The line is longer than {max} bytes.',
    'Dòng dài hơn {max} byte.',
  ),
  BODY_TOO_LARGE: of(
    'too-large',
    'a body of at most {max} bytes; a sheet goes to POST /v1/commands',
    'The body is larger than {max} bytes.',
    'Nội dung lớn hơn {max} byte.',
  ),
  OBJECT_INVALID: malformed('a JSON object', 'An object is expected here.', 'Cần một đối tượng JSON.'),
  LIST_INVALID: malformed('a list', 'A list is expected here, or it is too long.', 'Cần một danh sách, hoặc quá dài.'),
  FIELD_UNKNOWN: malformed('no other field', 'There is no such field.', 'Không có trường này.'),
  FIELD_MISSING: malformed('a value', 'A required field is missing.', 'Thiếu trường bắt buộc.'),
  AMOUNT_INVALID: malformed('whole đồng', 'The amount is not acceptable.', 'Số tiền không hợp lệ.'),
  INTEGER_INVALID: malformed('a whole number', 'The number is not acceptable.', 'Số không hợp lệ.'),
  BOOLEAN_INVALID: malformed('true or false', 'The value is neither true nor false.', 'Giá trị phải là true/false.'),
  RATE_INVALID: malformed('a decimal fraction as text', 'The rate is not acceptable.', 'Tỷ lệ không hợp lệ.'),
  DATE_INVALID: malformed('YYYY-MM-DD', 'There is no such date.', 'Ngày không hợp lệ.'),
  INSTANT_INVALID: malformed('RFC 3339', 'There is no such instant.', 'Thời điểm không hợp lệ.'),
  ID_INVALID: malformed('letters, digits, - and _', 'The identifier is not acceptable.', 'Mã không hợp lệ.'),
  REFERENCE_INVALID: malformed('visible characters', 'The number is not acceptable.', 'Số hiệu không hợp lệ.'),
  TEXT_INVALID: malformed('one line of text', 'The text is not acceptable.', 'Văn bản không hợp lệ.'),
  CODE_UNKNOWN: malformed('one of the codes', 'The code is not known.', 'Mã không có trong danh mục.'),
  DISTRICT_UNKNOWN: malformed('a district code', 'There is no such district.', 'Không có quận/huyện này.'),
  COMMUNE_INVALID: malformed('five digits', 'The commune code is not acceptable.', 'Mã xã/phường không hợp lệ.'),
  MASS_ORGANISATION_UNKNOWN: malformed('a code', 'There is no such mass organisation.', 'Không có tổ chức hội này.'),
  BORROWER_CLASS_UNKNOWN: malformed('a class', 'There is no such borrower class.', 'Không có đối tượng vay này.'),
  COMMAND_UNKNOWN: of(
    'unknown',
    'one of the commands of the catalogue',
    'There is no command {command}.',
    'Không có lệnh {command}.',
  ),
  KEY_MISSING: malformed(
    'an idempotency key of 1 to 200 visible characters, not beginning with ~',
    'The idempotency key is missing.',
    'Thiếu khóa chống lặp (Idempotency-Key).',
  ),
  KEY_INVALID: malformed(
    '1 to 200 visible characters, not beginning with ~',
    'The idempotency key is not acceptable.',
    'Khóa chống lặp không hợp lệ.',
  ),
  ACTOR_INVALID: malformed(
    '1 to 64 visible characters',
    'The actor is not acceptable.',
    'Người thực hiện không hợp lệ.',
  ),
  IF_MATCH_INVALID: malformed(
    'a revision: a whole number from 0, bare or quoted, or -1 for a stream that must not exist',
    'The If-Match is not a revision.',
    'If-Match không phải là số phiên bản.',
  ),
  PARAMETER_UNKNOWN: malformed('only {accepted}', 'There is no parameter {name}.', 'Không có tham số {name}.'),
  PARAMETER_INVALID: malformed('{accepted}', 'The parameter {name} is not acceptable.', 'Tham số {name} không hợp lệ.'),
  KEY_REUSED: of(
    'key-reused',
    'the same command, value date and data as the first time, or another key',
    'The key {key} was used with another body.',
    'Khóa {key} đã dùng cho nội dung khác.',
  ),
  REVISION_MOVED: of(
    'precondition',
    '{revision}',
    'The stream stands at revision {revision}.',
    'Dữ liệu đã ở phiên bản {revision}.',
  ),
  RECORDED_AT_NOT_ALLOWED: malformed(
    'no recordedAt: only a simulated ledger takes one',
    'Only a simulated ledger takes a recordedAt.',
    'Chỉ sổ mô phỏng mới nhận recordedAt.',
  ),
  RECORDED_AT_TOO_EARLY: conflict(
    'an instant from {last} on',
    'recordedAt is before the last one, {last}.',
    'recordedAt sớm hơn lần ghi trước, {last}.',
  ),
  // ---- days
  LEDGER_EMPTY: conflict(
    'a command with a value date first',
    'The ledger has no business day yet.',
    'Sổ chưa có ngày làm việc nào.',
  ),
  VALUE_DATE_AFTER_OPEN_DAY: conflict(
    'a day up to {open}',
    'The value date is after the open business day {open}.',
    'Ngày giá trị sau ngày làm việc đang mở {open}.',
  ),
  VALUE_DATE_BEFORE_LEDGER: conflict(
    'a day from {first} on',
    "The value date is before the ledger's first business day {first}.",
    'Ngày giá trị trước ngày làm việc đầu tiên của sổ {first}.',
  ),
  VALUE_DATE_AFTER_CLOCK: conflict(
    'a day up to {today}',
    'The first value date is after today, {today}.',
    'Ngày giá trị đầu tiên sau hôm nay, {today}.',
  ),
  DAY_AHEAD_OF_CLOCK: conflict(
    'a day up to {today}',
    'A day ahead of the clock, {today}, cannot be closed.',
    'Không thể khóa sổ ngày sau hôm nay, {today}.',
  ),
  // ---- programme, policy, group, borrower
  PROGRAMME_EXISTS: conflict('a new id', 'The programme exists.', 'Chương trình đã có.'),
  PROGRAMME_UNKNOWN: unknown('an opened programme', 'There is no such programme.', 'Không có chương trình này.'),
  PERIOD_INVALID: malformed('from not after to', 'The programme ends before it begins.', 'Thời hạn chương trình sai.'),
  YEAR_TWICE: malformed('each year once', 'A year has two targets.', 'Một năm có hai chỉ tiêu.'),
  POLICY_UNKNOWN: conflict(
    'a value date on which a policy of the programme is in force',
    'No policy is in force on {valueDate} for this source and class.',
    'Không có chính sách hiệu lực ngày {valueDate} cho nguồn vốn và đối tượng này.',
  ),
  GROUP_EXISTS: conflict('a new id', 'The group exists.', 'Tổ đã có.'),
  GROUP_UNKNOWN: unknown('a registered group', 'There is no such group.', 'Không có tổ này.'),
  DISTRICT_NOT_OF_GROUP: conflict(
    "the group's district, {district}",
    "A borrower's district is that of the group, {district}.",
    'Quận/huyện của người vay phải là của tổ, {district}.',
  ),
  BORROWER_EXISTS: conflict('a new id', 'The borrower exists.', 'Người vay đã có.'),
  BORROWER_UNKNOWN: unknown('a registered borrower', 'There is no such borrower.', 'Không có người vay này.'),
  // ---- capital
  SUM_TOO_LARGE: conflict(
    'at most {available} đồng more',
    'The sum would pass {max} đồng.',
    'Tổng sẽ vượt quá {max} đồng.',
  ),
  FUND_UNKNOWN: unknown('a funded source', 'The source has no tranche yet.', 'Nguồn vốn chưa được cấp.'),
  CAPITAL_NOT_FUNDED: conflict(
    'at most {available} đồng',
    'The fund has {available} đồng that are not allocated.',
    'Nguồn vốn còn {available} đồng chưa phân bổ.',
  ),
  CAPITAL_INSUFFICIENT: conflict(
    'at most {available} đồng',
    'The district has {available} đồng available.',
    'Quận/huyện còn {available} đồng khả dụng.',
  ),
  DISTRICTS_ALIKE: malformed('two districts', 'Capital stays in the same district.', 'Hai quận/huyện trùng nhau.'),
  // ---- loan
  LOAN_EXISTS: conflict('a new id', 'The loan exists.', 'Khoản vay đã có.'),
  LOAN_UNKNOWN: unknown('a loan that was applied for', 'There is no such loan.', 'Không có khoản vay này.'),
  LOAN_NOT_APPLIED: conflict(
    'a loan that waits for a decision',
    'The loan is {status}: it was decided before.',
    'Khoản vay ở trạng thái {status}: đã có quyết định.',
  ),
  LOAN_NOT_APPROVED: conflict(
    'an approved loan',
    'The loan is {status}, not approved.',
    'Khoản vay ở trạng thái {status}, chưa được duyệt.',
  ),
  LOAN_NOT_DISBURSED: conflict(
    'a loan that was disbursed',
    'Nothing was disbursed on the loan.',
    'Khoản vay chưa được giải ngân.',
  ),
  LOAN_SETTLED: conflict('a loan that is not settled', 'The loan is settled.', 'Khoản vay đã tất toán.'),
  APPROVAL_ABOVE_APPLICATION: conflict(
    'at most {applied} đồng',
    'Only {applied} đồng were applied for.',
    'Chỉ đề nghị vay {applied} đồng.',
  ),
  LIMIT_PER_JOB: conflict(
    'at most {limit} đồng',
    'The policy allows {limit} đồng for these jobs.',
    'Chính sách cho phép {limit} đồng với số lao động này.',
  ),
  LIMIT_PER_LOAN: conflict(
    'at most {limit} đồng',
    'The policy allows {limit} đồng a loan.',
    'Chính sách cho phép {limit} đồng một khoản vay.',
  ),
  LIMIT_TERM: conflict(
    'a term of at most {limit} months',
    'The policy allows {limit} months.',
    'Chính sách cho phép {limit} tháng.',
  ),
  VALUE_DATE_ORDER: conflict(
    'a day from {earliest} on',
    'The value date is before {earliest}, on which the loan has an entry that comes first.',
    'Ngày giá trị trước {earliest}, ngày của bút toán phải đứng trước.',
  ),
  VALUE_DATE_AFTER_LAST_DUE: conflict(
    'a day before {last}',
    'The last instalment is due on {last}.',
    'Kỳ hạn cuối đến hạn ngày {last}.',
  ),
  DISBURSEMENT_ABOVE_APPROVAL: conflict(
    'at most {available} đồng',
    '{available} đồng of the approved amount are left.',
    'Còn {available} đồng trong số tiền được duyệt.',
  ),
  VOUCHER_ALREADY_USED: conflict(
    'a voucher number that the loan has not used',
    'The voucher {voucher} was used on this loan.',
    'Chứng từ {voucher} đã dùng cho khoản vay này.',
  ),
  RECEIPT_ALREADY_USED: conflict(
    'a receipt number that the loan has not used',
    'The receipt {receipt} was used on this loan.',
    'Biên lai {receipt} đã dùng cho khoản vay này.',
  ),
  RECEIPT_UNKNOWN: unknown(
    'a receipt of this loan',
    'The loan has no receipt {receipt}.',
    'Khoản vay không có biên lai {receipt}.',
  ),
  PAYMENT_ALREADY_REVERSED: conflict(
    'a payment that stands',
    'The payment {receipt} was reversed before.',
    'Biên lai {receipt} đã được hủy.',
  ),
  PAYMENT_ABOVE_DUE: conflict(
    'at most {payable} đồng',
    'Unpaid principal and interest due come to {payable} đồng.',
    'Gốc còn lại và lãi phải trả là {payable} đồng.',
  ),
  ALLOCATION_SUM: malformed(
    'five fields that add up to {amount}',
    'The allocation adds up to {sum}, the payment is {amount}.',
    'Phân bổ cộng lại là {sum}, số tiền thu là {amount}.',
  ),
  ALLOCATION_ABOVE_UNPAID: conflict(
    'at most {unpaid} đồng',
    '{unpaid} đồng are unpaid under {component}.',
    'Khoản mục {component} còn {unpaid} đồng.',
  ),
  GROUP_LEADER_PRINCIPAL: conflict(
    'at most {payable} đồng by GROUP_LEADER, all of it allocated to interest, or another method',
    'A group leader takes no principal: {payable} đồng of interest are due.',
    'Tổ trưởng không được thu gốc: lãi phải trả là {payable} đồng.',
  ),
  // ---- queries and the service
  LOAN_NOT_KNOWN: unknown(
    'a loan that was applied for by asOf and known by knownOn',
    'There was no such loan then.',
    'Khi đó chưa có khoản vay này.',
  ),
  PROJECTION_UNKNOWN: unknown('one of {accepted}', 'There is no projection {name}.', 'Không có mô hình đọc {name}.'),
  ROUTE_UNKNOWN: unknown('a route of /docs', 'There is nothing here.', 'Không có gì ở đây.'),
  METHOD_UNSUPPORTED: of('unsupported', 'another method', 'The method does not fit.', 'Phương thức không phù hợp.'),
  TOKEN_INVALID: malformed('a token from a command', 'The token is not one of ours.', 'Token không hợp lệ.'),
  READ_MODEL_BEHIND: of(
    'unavailable',
    'the same request a little later',
    'The read model has not come to the token yet.',
    'Mô hình đọc chưa cập nhật đến token.',
  ),
  READ_MODEL_HALTED: of(
    'unavailable',
    'the same request after `socai projections retry`',
    'The read model {name} has stopped at an event that it cannot take.',
    'Mô hình đọc {name} đã dừng ở một sự kiện không xử lý được.',
  ),
  LEDGER_HELD: of(
    'unavailable',
    'the same request when the other writer has gone',
    'The data directory is held by {holder}.',
    'Thư mục dữ liệu đang do {holder} giữ.',
  ),
  LEDGER_SIMULATED: of(
    'conflict',
    'a directory without a ledger, or one that was created as a simulation',
    'The ledger was not created as a simulation.',
    'Sổ này không phải là sổ mô phỏng.',
  ),
  SIMULATION_OTHER: of(
    'conflict',
    'the scale, seed and days that the simulation began with, or another directory',
    'The directory holds {found} and not {asked}.',
    'Thư mục đang chứa {found}, không phải {asked}.',
  ),
  LEDGER_READ_ONLY: of(
    'unavailable',
    'a directory that can be written',
    'The data directory cannot be written.',
    'Thư mục dữ liệu không ghi được.',
  ),
  FILE_UNREADABLE: malformed(
    'a file that can be read, or - for standard input',
    'The file cannot be read: {detail}',
    'Không đọc được tệp: {detail}',
  ),
  DISK_FULL: of('unavailable', 'the same request when there is room', 'The disk is full.', 'Đĩa đã đầy.'),
  DATA_DAMAGED: of(
    'unavailable',
    'an intact data file',
    'The data file is damaged: {detail}',
    'Tệp dữ liệu bị hỏng: {detail}',
  ),
  DATA_FOREIGN: of(
    'unavailable',
    'a data file that socai made',
    'The data file is not one of ours: {detail}',
    'Tệp dữ liệu không phải của Sổ Cái: {detail}',
  ),
  STORE_UNREACHABLE: of(
    'unavailable',
    'the same request a little later',
    'The store does not answer: {detail}',
    'Kho dữ liệu không trả lời: {detail}',
  ),
  OUTCOME_UNKNOWN: of(
    'unavailable',
    'the same request with the same key, until it is answered',
    'The store did not say whether it was written: {detail}',
    'Kho dữ liệu chưa cho biết đã ghi hay chưa: {detail}',
  ),
  IMPORT_TARGET_DIFFERS: of(
    'conflict',
    'an event store that is empty, or that holds the beginning of this ledger',
    'The event store holds other events than this ledger: {detail}',
    'Kho sự kiện chứa sự kiện khác với sổ này: {detail}',
  ),
  STORE_REFUSES: of(
    'unavailable',
    'the same request when the service is set up as its store wants',
    'The store refuses: {detail}',
    'Kho dữ liệu từ chối: {detail}',
  ),
  SHUTTING_DOWN: of('unavailable', 'the same request a little later', 'The service is stopping.', 'Dịch vụ đang dừng.'),
} as const satisfies Record<string, Entry>;

export type RefusalCode = keyof typeof refusals;

/** A refusal of one field. `accepted` is the table's, filled with the parameters. */
export function refuse(
  code: RefusalCode,
  field: string,
  params: Readonly<Record<string, string | number>> = {},
): { readonly ok: false; readonly error: Refusal } {
  return err({ code, errors: [{ field, code, accepted: fill(refusals[code].accepted, params) }], params });
}

/** `{name}` replaced by the parameter of that name. */
export function fill(text: string, params: Readonly<Record<string, string | number>>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
}
