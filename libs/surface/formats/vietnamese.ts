import type { Amount } from '../../kernel/money.js';
import type { Language } from './negotiate.js';

/* Figures as readers write them: in Vietnamese 1.234.567 ₫, 0,05% and 15/07/2021. */

const NO_BREAK_SPACE = '\u00a0';
const ABSENT = '–';

/** A whole number with its thousands apart. */
export function wholeText(value: Amount | string, language: Language = 'vi'): string {
  const text = String(value);
  const digits = text.replace(/^-/, '');
  const grouped = digits.replace(/\B(?=(\d{3})+$)/g, language === 'vi' ? '.' : ',');
  return text.startsWith('-') ? `−${grouped}` : grouped;
}

export function dongText(value: Amount | string, language: Language = 'vi'): string {
  return `${wholeText(value, language)}${NO_BREAK_SPACE}₫`;
}

/** A fraction as text (`"0.000500"`) as a percentage with at least two decimals, exact. */
export function percentText(fraction: string | null | undefined, language: Language = 'vi'): string {
  if (fraction === null || fraction === undefined) return ABSENT;
  const [whole = '0', decimals = ''] = fraction.split('.');
  const shifted = whole + decimals.padEnd(2, '0').slice(0, 2);
  const rest = decimals.slice(2).replace(/0+$/, '').padEnd(2, '0');
  const before = wholeText(shifted.replace(/^(-?)0+(?=\d)/, '$1'), language);
  return `${before}${language === 'vi' ? ',' : '.'}${rest}%`;
}

/**
 * The same with two decimals, rounded half up, where there is little room. Below 0,1 %, where the plan's bound of arrears
 * lies, with all four.
 */
export function percentShort(fraction: string | null | undefined, language: Language = 'vi'): string {
  const millionths = Math.round(Number(fraction ?? 0) * 1_000_000);
  if (millionths < 1_000) return percentText(fraction, language);
  return percentText((Math.floor((millionths + 50) / 100) / 10_000).toFixed(4), language);
}

/** `2021-07-15` as 15/07/2021; English keeps what cannot be misread. */
export function dateText(date: string, language: Language = 'vi'): string {
  return language === 'vi' ? date.split('-').reverse().join('/') : date;
}
