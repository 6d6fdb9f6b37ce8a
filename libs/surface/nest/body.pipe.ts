import { type ArgumentMetadata, type PipeTransform, type Type, ValidationPipe } from '@nestjs/common';
import { type Fields, readFields } from '../../kernel/fields.js';
import { named } from './names.js';

/* The bodies of commands as Nest and class-validator know them. */

/** A body's class, and the very table that reads a line of a sheet: class-validator asks it member by member. */
export function bodyOf(name: string, fields: Fields): Type<object> {
  const body = named(name, class {});
  tables.set(body, fields);
  return body;
}

const tables = new WeakMap<object, Fields>();

/** The ValidationPipe's exception: the body does not fit its table. */
export class BodyNotAccepted extends Error {
  override readonly name = 'BodyNotAccepted';
}

/**
 * A body that fits its table passes as it is: taking it apart and putting it together again would cost as much as all
 * else of a request. class-validator, which asks the same table field by field, has the word on every other, and is
 * loaded for the first of them: a start does not wait for it.
 */
export class BodyPipe implements PipeTransform {
  #validating: Promise<Validating> | undefined;

  async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const { metatype } = metadata;
    const table = metatype === undefined ? undefined : tables.get(metatype);
    if (metatype === undefined || table === undefined || readFields(table, value).ok) return value;
    this.#validating ??= validating();
    const { pipe, describe } = await this.#validating;
    describe(metatype, table);
    try {
      // What it strips it strips of a copy: the ledger refuses members by name.
      return await pipe.transform(structuredClone(value), metadata);
    } catch (cause) {
      // Refused, or nested deeper than the stack is.
      throw new BodyNotAccepted('the body does not fit its table', { cause });
    }
  }
}

interface Validating {
  readonly pipe: ValidationPipe;
  /** Tells class-validator of a body, once. */
  readonly describe: (body: Type<object>, fields: Fields) => void;
}

async function validating(): Promise<Validating> {
  const { ValidateBy } = await import('class-validator');
  const described = new WeakSet<object>();
  const describe = (body: Type<object>, fields: Fields) => {
    if (described.has(body)) return;
    described.add(body);
    for (const [field, kind] of Object.entries(fields)) {
      const validate = (value: unknown) =>
        readFields({ [field]: kind }, value === undefined ? {} : { [field]: value }).ok;
      const defaultMessage = () => `${field}: ${kind.accepted}`;
      ValidateBy({ name: kind.code, validator: { validate, defaultMessage } })(body.prototype, field);
    }
  };
  // Nest leaves the last of the three off unless it is named.
  const pipe = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
  return { pipe, describe };
}
