import type { LocalDate } from '../../kernel/dates.js';
import { DISTRICTS, type District } from '../../lending/codes.js';
import type { Stored } from '../projection.js';

/*
 * What an event says, in one line for a reader of Vietnamese: amounts `1.234.567 ₫` with a no-break space, dates
 * dd/MM/yyyy. Whose event it is stands in the row's own columns, so the line does not repeat every number.
 */

export type Summaries = {
  readonly [Type in Stored['type']]: (data: Extract<Stored, { readonly type: Type }>['data']) => string;
};

export const summaries: Summaries = {
  LedgerOpened: ({ firstBusinessDay, simulated }) =>
    `Mở sổ từ ngày ${date(firstBusinessDay)}${simulated ? ' (sổ mô phỏng)' : ''}`,
  BusinessDayClosing: (data) => `Bắt đầu khóa sổ ngày ${date(data.date)}`,
  BusinessDayClosed: ({ date: day, totals }) =>
    `Khóa sổ ngày ${date(day)}: giải ngân ${dong(totals.disbursements.amount)}, thu ${dong(totals.payments.amount)}, ` +
    `hoàn vốn ${dong(totals.principalReturned)}, ${totals.overdue.count} kỳ hạn chuyển quá hạn`,
  LateEntriesCounted: ({ date: day, countedOn, entries }) =>
    `${entries.length} bút toán ngày ${date(day)} ghi sau khi khóa sổ, tính vào ngày ${date(countedOn)}`,
  ProgrammeOpened: ({ name, plan }) => `Mở chương trình ${name} theo kế hoạch ${plan}`,
  PolicyPublished: ({ programme, effectiveFrom, annualRate }) =>
    `Ban hành chính sách của ${programme} từ ngày ${date(effectiveFrom)}: lãi suất ${percent(annualRate)}/năm`,
  TrancheFunded: ({ source, amount }) => `Cấp vốn ${dong(amount)} cho nguồn ${source}`,
  CapitalAllocated: ({ source, district, amount }) =>
    `Phân bổ ${dong(amount)} từ nguồn ${source} cho ${place(district)}`,
  CapitalReallocated: ({ fromDistrict, toDistrict, amount }) =>
    `Điều chuyển ${dong(amount)} từ ${place(fromDistrict)} sang ${place(toDistrict)}`,
  CapitalReceived: ({ district, fromDistrict, source, amount }) =>
    `${place(district)} nhận ${dong(amount)} từ ${fromDistrict === null ? `nguồn ${source}` : place(fromDistrict)}`,
  CapitalCommitted: ({ district, amount, ...purpose }) =>
    `Giữ ${dong(amount)} tại ${place(district)} để ${purposeOf(purpose)}`,
  CapitalReleased: ({ district, amount, ...purpose }) =>
    `Giải tỏa ${dong(amount)} tại ${place(district)} đã giữ để ${purposeOf(purpose)}`,
  PrincipalReturned: ({ district, businessDay, returned }) =>
    `Hoàn vốn quay vòng ngày ${date(businessDay)} cho ${place(district)}: ${dong(returned)}`,
  GroupRegistered: ({ group, district }) => `Đăng ký tổ tiết kiệm và vay vốn ${group}, ${place(district)}`,
  BorrowerRegistered: ({ borrower, district }) => `Đăng ký người vay ${borrower}, ${place(district)}`,
  BorrowerReclassified: ({ borrower, previousClass, borrowerClass }) =>
    `Đổi đối tượng vay của ${borrower}: ${previousClass} thành ${borrowerClass}`,
  LoanApplied: ({ amount, termMonths, jobs }) =>
    `Đề nghị vay ${dong(amount)}, thời hạn ${termMonths} tháng, ${jobs} việc làm`,
  LoanApproved: ({ amount, annualRate }) => `Phê duyệt cho vay ${dong(amount)}, lãi suất ${percent(annualRate)}/năm`,
  LoanRejected: ({ reason }) => `Từ chối cho vay: ${reason}`,
  LoanDisbursed: ({ amount }) => `Giải ngân ${dong(amount)}`,
  InstallmentPaid: ({ amount, allocation }) => `Thu nợ ${dong(amount)}${parts(amount, allocation)}`,
  PaymentReversed: ({ amount, allocation, reason }) =>
    `Hủy khoản thu ${dong(amount)}${parts(amount, allocation)}: ${reason}`,
  LoanSettled: () => 'Tất toán khoản vay',
  LoanReopened: () => 'Mở lại khoản vay đã tất toán',
  LoanOverdue: ({ installment, dueDate, amount }) =>
    `Kỳ ${installment} đến hạn ngày ${date(dueDate)} chuyển quá hạn: ${dong(amount)}`,
};

/** The line of an event. */
export function summaryOf(event: Stored): string {
  // The table's own key tells the event's data apart.
  const summary = summaries[event.type] as (data: Stored['data']) => string;
  return summary(event.data);
}

/** `1.234.567 ₫`, with a no-break space. */
export function dong(amount: number): string {
  const digits = String(Math.abs(amount));
  let text = digits.slice(-3);
  for (let end = digits.length - 3; end > 0; end -= 3) text = `${digits.slice(Math.max(0, end - 3), end)}.${text}`;
  return `${amount < 0 ? '-' : ''}${text}\u00a0₫`;
}

const date = (day: LocalDate): string => `${day.slice(8)}/${day.slice(5, 7)}/${day.slice(0, 4)}`;

const place = (district: District): string => DISTRICTS[district];

/** `0.0792` as `7,92%`, exactly: the point moves two places. */
export function percent(rate: string): string {
  const [whole = '0', decimals = ''] = rate.split('.');
  const places = decimals.padEnd(2, '0');
  const front = `${whole}${places.slice(0, 2)}`.replace(/^0+(?=\d)/, '');
  const behind = places.slice(2).replace(/0+$/, '');
  return `${front}${behind === '' ? '' : `,${behind}`}%`;
}

interface Purpose {
  readonly purpose: 'DISBURSEMENT' | 'REALLOCATION';
  readonly loan: string | null;
  readonly toDistrict: District | null;
}

const purposeOf = ({ purpose, loan, toDistrict }: Purpose): string =>
  purpose === 'DISBURSEMENT'
    ? `giải ngân khoản vay ${loan}`
    : `điều chuyển sang ${toDistrict === null ? 'quận/huyện khác' : place(toDistrict)}`;

function parts(
  amount: number,
  { interestInTerm, interestOverdue }: { readonly interestInTerm: number; readonly interestOverdue: number },
): string {
  const interest = interestInTerm + interestOverdue;
  return ` (gốc ${dong(amount - interest)}, lãi ${dong(interest)})`;
}
