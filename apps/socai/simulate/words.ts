import type { BorrowerClass } from '../../../libs/lending/codes.js';
import type { Random } from './random.js';

const PURPOSES = [
  'Chăn nuôi bò sinh sản',
  'Trồng rau an toàn',
  'Mở quán ăn',
  'Mua máy may gia công',
  'Nuôi cá',
  'Trồng hoa, cây cảnh',
  'Sửa chữa xe máy',
  'Buôn bán nhỏ',
  'Nghề mây tre đan',
  'Chăn nuôi lợn',
];
const BUSINESSES = ['Mở rộng xưởng mộc', 'Dây chuyền chế biến nông sản', 'Xưởng may', 'Nhà lưới trồng rau'];
const ESTABLISHED = new Set<BorrowerClass>(['ENTERPRISE', 'COOPERATIVE', 'COVID_BUSINESS']);

/** What a loan is for. */
export function purposeOf(borrowerClass: BorrowerClass, random: Random): string {
  const purposes = ESTABLISHED.has(borrowerClass) ? BUSINESSES : PURPOSES;
  return purposes[random.below(purposes.length)] as string;
}
