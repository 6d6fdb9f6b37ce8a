import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { isObject, toJson } from '../formats/json.js';
import type { Language } from '../formats/negotiate.js';
import type { ProblemDetails } from '../formats/problem.js';
import { dongText, percentText, wholeText } from '../formats/vietnamese.js';

/* Results to standard output; progress, logs and refusals for people to standard error. */

export async function writeText(to: Writable, text: string): Promise<void> {
  if (text !== '' && !to.write(text)) await once(to, 'drain');
}

/** An answer as people read it: its single figures, and each list of rows as a table. */
export function answerText(answer: unknown, language: Language): string {
  if (!isObject(answer)) return `${cellText('', answer, language)}\n`;
  const lists = Object.entries(answer).filter(([, value]) => isRows(value));
  const single = Object.entries(answer).filter(([, value]) => !isRows(value));
  const parts = [
    pairsText(single, language),
    ...lists.map(([name, rows]) => `\n${name}\n${tableText(rows as readonly Record<string, unknown>[], language)}`),
  ];
  return `${parts.filter((part) => part !== '').join('\n')}\n`;
}

/** Rows under their names: words to the left, figures to the right. */
export function tableText(rows: readonly Readonly<Record<string, unknown>>[], language: Language): string {
  if (rows.length === 0) return language === 'vi' ? '(không có dòng nào)' : '(no rows)';
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const columns = names.map((name) => {
    const cells = rows.map((row) => cellText(name, row[name], language));
    const right = rows.every((row) => row[name] === null || row[name] === undefined || isFigure(name, row[name]));
    return { name, cells, right, width: Math.max(name.length, ...cells.map((cell) => cell.length)) };
  });
  const line = (of: (column: (typeof columns)[number]) => string) =>
    columns
      .map((column) => (column.right ? of(column).padStart(column.width) : of(column).padEnd(column.width)))
      .join('  ')
      .trimEnd();
  return [line(({ name }) => name), ...rows.map((_, index) => line(({ cells }) => cells[index] ?? ''))].join('\n');
}

export function problemText({ code, detail, errors }: ProblemDetails): string {
  const fields = errors.map(
    ({ field, code, accepted }) => `  ${field === '' ? '' : `${field}: `}${code}, accepted: ${accepted}`,
  );
  return `${[`${code}: ${detail}`, ...fields].join('\n')}\n`;
}

function pairsText(pairs: readonly (readonly [string, unknown])[], language: Language): string {
  const width = Math.max(0, ...pairs.map(([name]) => name.length));
  const lines = pairs.map(([name, value]) => {
    if (!isObject(value)) return `${name.padEnd(width)}  ${cellText(name, value, language)}`;
    return `${name}\n${pairsText(Object.entries(value), language).replace(/^/gm, '  ')}`;
  });
  return lines.join('\n');
}

/** Whole numbers that are no amounts: a year is not 2.021. */
const PLAIN = new Set(['year', 'revision', 'number', 'installment', 'line', 'status', 'version', 'daysPastDue']);
const RATIO = /(Rate|Ratio)$/;
const MEASURE = /(Months|Revision)$/;
const COUNT = new Set([
  ...['loans', 'jobs', 'jobsTarget', 'jobsCreated', 'sequence', 'events', 'lagSeconds'],
  ...['lines', 'accepted', 'duplicates', 'refused', 'failed'],
]);

function isFigure(name: string, value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'string' && RATIO.test(name));
}

function cellText(name: string, value: unknown, language: Language): string {
  if (value === null || value === undefined) return '–';
  if (typeof value === 'string') return RATIO.test(name) && /^\d+\.\d+$/.test(value) ? percentText(value, 'vi') : value;
  if (typeof value === 'number' || typeof value === 'bigint') {
    if (PLAIN.has(name) || MEASURE.test(name) || !Number.isInteger(Number(value))) return String(value);
    return COUNT.has(name) ? wholeText(value, 'vi') : dongText(value, 'vi');
  }
  if (typeof value === 'boolean') return language === 'vi' ? (value ? 'có' : 'không') : value ? 'yes' : 'no';
  return toJson(value);
}

function isRows(value: unknown): boolean {
  return Array.isArray(value) && value.every(isObject);
}
