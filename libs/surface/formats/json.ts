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

/** A stranger's object but for one member. `__proto__` is a member like any other, which no spread keeps (docs/adr/0021). */
export function without(object: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(object).filter(([member]) => member !== name));
}
