import type { Language } from '../formats/negotiate.js';
import { dateText, dongText, percentShort, percentText, wholeText } from '../formats/vietnamese.js';

export type Money = number | string;

const NO_BREAK_SPACE = '\u00a0';
const BILLION = 1_000_000_000;
const MILLION = 1_000_000;

/** Figures as one reader writes them. */
export interface Figures {
  readonly language: Language;
  /** To the đồng, with its sign. */
  money(value: Money): string;
  /** To the đồng, where the unit stands beside it. */
  whole(value: Money): string;
  percent(fraction: string | null | undefined): string;
  /** Rounded, where there is little room. */
  percentShort(fraction: string | null | undefined): string;
  day(date: string): string;
  /** `09/2021`, of a day or of a month. */
  month(date: string): string;
  /** 2.550 tỷ đồng: rounded, for pictures and first looks. */
  rounded(value: Money): string;
  /** The same without the currency, where there is little room. */
  short(value: Money): string;
}

export function figuresIn(language: Language): Figures {
  const units = language === 'vi' ? { billion: 'tỷ', million: 'triệu' } : { billion: 'bn', million: 'm' };
  const short = (value: Money) => {
    const amount = Number(value);
    if (Math.abs(amount) < MILLION) return wholeText(value, language);
    return Math.abs(amount) >= BILLION
      ? `${decimal(amount / BILLION, language)}${NO_BREAK_SPACE}${units.billion}`
      : `${decimal(amount / MILLION, language)}${NO_BREAK_SPACE}${units.million}`;
  };
  return {
    language,
    money: (value) => dongText(value, language),
    whole: (value) => wholeText(value, language),
    percent: (fraction) => percentText(fraction, language),
    percentShort: (fraction) => percentShort(fraction, language),
    day: (date) => dateText(date, language),
    month: (date) => dateText(date.slice(0, 7), language),
    rounded: (value) => `${short(value)}${NO_BREAK_SPACE}${language === 'vi' ? 'đồng' : '₫'}`,
    short,
  };
}

/** Three digits that matter, or all those before the comma. */
function decimal(value: number, language: Language): string {
  const places = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  const [whole = '0', rest = ''] = value.toFixed(places).split('.');
  const decimals = rest.replace(/0+$/, '');
  return wholeText(whole, language) + (decimals === '' ? '' : `${language === 'vi' ? ',' : '.'}${decimals}`);
}
