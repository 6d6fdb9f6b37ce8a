/*
 * Codes that commands and events use. A unit is (code, valid from): the thirty district-level units of Hanoi were
 * abolished as administration on 2025-06-30 and remain valid here as capital districts (contract §1, Codes).
 */

/** Statistics-office code and name of each district. */
export const DISTRICTS = {
  '001': 'Ba Đình',
  '002': 'Hoàn Kiếm',
  '003': 'Tây Hồ',
  '004': 'Long Biên',
  '005': 'Cầu Giấy',
  '006': 'Đống Đa',
  '007': 'Hai Bà Trưng',
  '008': 'Hoàng Mai',
  '009': 'Thanh Xuân',
  '016': 'Sóc Sơn',
  '017': 'Đông Anh',
  '018': 'Gia Lâm',
  '019': 'Nam Từ Liêm',
  '020': 'Thanh Trì',
  '021': 'Bắc Từ Liêm',
  '250': 'Mê Linh',
  '268': 'Hà Đông',
  '269': 'Sơn Tây',
  '271': 'Ba Vì',
  '272': 'Phúc Thọ',
  '273': 'Đan Phượng',
  '274': 'Hoài Đức',
  '275': 'Quốc Oai',
  '276': 'Thạch Thất',
  '277': 'Chương Mỹ',
  '278': 'Thanh Oai',
  '279': 'Thường Tín',
  '280': 'Phú Xuyên',
  '281': 'Ứng Hòa',
  '282': 'Mỹ Đức',
} as const satisfies Record<string, string>;

export type District = keyof typeof DISTRICTS;
export const DISTRICT_CODES = Object.keys(DISTRICTS).sort() as District[];

export const MASS_ORGANISATIONS = ['WOMEN', 'FARMERS', 'VETERANS', 'YOUTH', 'NONE'] as const;
export type MassOrganisation = (typeof MASS_ORGANISATIONS)[number];

export const BORROWER_CLASSES = [
  'POOR',
  'NEAR_POOR',
  'ESCAPED_POVERTY',
  'ETHNIC_MINORITY',
  'DISABLED',
  'JOB_LOSS',
  'COVID_BUSINESS',
  'PRODUCTION_MODEL',
  'ENTERPRISE',
  'COOPERATIVE',
  'OTHER',
] as const;
export type BorrowerClass = (typeof BORROWER_CLASSES)[number];

export const BORROWER_KINDS = ['WORKER', 'ESTABLISHMENT'] as const;
export type BorrowerKind = (typeof BORROWER_KINDS)[number];

export const PAYMENT_METHODS = ['CASH', 'TRANSFER', 'GROUP_LEADER'] as const;
export type PaymentMethod = (typeof PAYMENT_METHODS)[number];

export const ARREARS_ORDERS = ['INTEREST_FIRST', 'PRINCIPAL_FIRST'] as const;
export type ArrearsOrder = (typeof ARREARS_ORDERS)[number];

export const DUE_DAY_ROLLS = ['NONE', 'FOLLOWING'] as const;
export type DueDayRoll = (typeof DUE_DAY_ROLLS)[number];
