import { amountJson } from '../../kernel/money.js';

/** JSON of an answer: amounts beyond 2^53 are strings of digits (contract, first paragraph). */
export function toJson(value: unknown, space?: number): string {
  return JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? amountJson(member) : member), space);
}

/** The value that a text is JSON of, or null: a value of JSON is never null here but as `{ value: null }`. */
export function parseJson(text: string): { readonly value: unknown } | null {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return null;
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
