import { InvariantBroken } from './result.js';

/**
 * RFC 8785 (JSON Canonicalization Scheme): members in UTF-16 order, no white space, numbers as ECMAScript prints them.
 * `undefined`, functions, bigints, numbers that are not finite and lone surrogates are broken invariants.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return canonicalText(value);
    case 'number':
      if (!Number.isFinite(value)) throw new InvariantBroken(`${value} has no JSON form`);
      return Object.is(value, -0) ? '0' : String(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? canonicalArray(value) : canonicalObject(value);
    default:
      throw new InvariantBroken(`a ${typeof value} has no JSON form`);
  }
}

// Printable ASCII without quote and backslash stands in JSON as it is: nearly every text of an event.
const PLAIN = /^[ !#-[\]-~]*$/;

function canonicalText(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new InvariantBroken('a lone surrogate has no canonical form');
  return JSON.stringify(text);
}

function canonicalArray(items: readonly unknown[]): string {
  let text = '[';
  for (let i = 0; i < items.length; i++) text += i === 0 ? canonicalJson(items[i]) : `,${canonicalJson(items[i])}`;
  return `${text}]`;
}

function canonicalObject(object: object): string {
  const names = Object.keys(object).sort();
  let text = '{';
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const member = canonicalJson((object as Record<string, unknown>)[name]);
    text += `${i === 0 ? '' : ','}${canonicalText(name)}:${member}`;
  }
  return `${text}}`;
}
