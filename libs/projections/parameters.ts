import { canonicalJson } from '../kernel/canonical-json.js';
import { type Kind, oneOf, pattern } from '../kernel/fields.js';

/* Kinds of parameters that only queries have. */

/** A comma-separated list of names, each once; as a list too, where parameters come as JSON. */
export function names<T extends string>(known: readonly T[]): Kind<readonly T[]> {
  const one = oneOf(known, 'PARAMETER_INVALID');
  const accepted = `a comma-separated list of ${known.join(', ')}`;
  return {
    schema: { type: 'string', description: accepted },
    code: 'PARAMETER_INVALID',
    accepted,
    optional: false,
    read: (value, field, problems) => {
      const given = typeof value === 'string' ? (value === '' ? [] : value.split(',')) : value;
      if (!Array.isArray(given)) {
        problems.push({ field, code: 'PARAMETER_INVALID', accepted });
        return [];
      }
      const found: T[] = [];
      for (const name of given) {
        const before = problems.length;
        const read = one.read(typeof name === 'string' ? name.trim() : name, field, problems);
        if (problems.length > before) return [];
        if (!found.includes(read)) found.push(read);
      }
      return found;
    },
    normal: (value) => value,
    canonical: canonicalJson,
    fromText: (text) => text,
  };
}

/** What an answer gave as `next`: the position that it came to. */
export const cursor = (): Kind<string> =>
  pattern<string>('^[0-9]{20}$', 'PARAMETER_INVALID', 'the `next` of an earlier answer');
