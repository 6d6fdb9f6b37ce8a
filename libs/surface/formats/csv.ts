import { isObject, toJson } from './json.js';

const LINE_END = '\r\n';

/**
 * Rows as RFC 4180 has them: a header line, a row a line, lines ended by CRLF. The columns are those of all rows, in
 * the order in which they first occur; with no rows, those of `columns`. What is nested stands as JSON.
 */
export function toCsv(rows: readonly unknown[], columns: readonly string[] = []): string {
  const found = [...new Set(rows.flatMap((row) => (isObject(row) ? Object.keys(row) : [])))];
  const names = found.length > 0 ? found : columns;
  const lines = rows.map((row) => names.map((name) => cell(isObject(row) ? row[name] : undefined)).join(','));
  return [names.map(cell).join(','), ...lines].map((line) => line + LINE_END).join('');
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'object' ? toJson(value) : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
