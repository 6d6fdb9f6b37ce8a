import { canonicalJson } from './canonical-json.js';
import {
  amount,
  canonicalOf,
  date,
  type Fields,
  flag,
  id,
  integer,
  type Kind,
  list,
  normalCanonicalOf,
  normalFields,
  nullable,
  oneOf,
  optional,
  type Problem,
  rate,
  readFields,
  record,
  reference,
  schemaOf,
  signedAmount,
  words,
} from './fields.js';

const read = (kind: Kind<unknown>, value: unknown) => {
  const problems: Problem[] = [];
  const of = kind.read(value, 'field', problems);
  return problems.length === 0 ? { value: of } : { problems };
};

interface Example {
  readonly kind: Kind<unknown>;
  readonly code: string;
  readonly accepted: readonly unknown[];
  readonly refused: readonly unknown[];
}

const EXAMPLES: Readonly<Record<string, Example>> = {
  amount: {
    kind: amount(),
    code: 'AMOUNT_INVALID',
    accepted: [1, 10 ** 15],
    refused: [0, -1, 1.5, 10 ** 15 + 1, '0', '1.5', '-1', ' 1', '1e3', '', '1.000', true, null, [1], Number.NaN],
  },
  'an amount from 0': { kind: amount(0), code: 'AMOUNT_INVALID', accepted: [0], refused: [-1, '-0'] },
  signedAmount: {
    kind: signedAmount(),
    code: 'AMOUNT_INVALID',
    accepted: [-5, 0, Number.MAX_SAFE_INTEGER],
    refused: [0.1, '1', 2 ** 53],
  },
  integer: { kind: integer(1, 600), code: 'INTEGER_INVALID', accepted: [1, 600], refused: [0, 601, 1.5, '1', null] },
  flag: { kind: flag(), code: 'BOOLEAN_INVALID', accepted: [true, false], refused: ['true', 0, 1, null] },
  id: {
    kind: id('loan'),
    code: 'ID_INVALID',
    accepted: ['L', 'a'.repeat(64), 'Ba-Dinh_01'],
    refused: ['', 'a'.repeat(65), 'Đ1', 'a b', 'a:b', 'a/b', 'a\n', 7, '../x'],
  },
  reference: {
    kind: reference(),
    code: 'REFERENCE_INVALID',
    accepted: ['159/KH-UBND', 'Số-12', '😀'.repeat(64), '~'],
    refused: ['', 'a b', 'a\n', '\u00a0', 'x'.repeat(65), '\u0000', '\ud83d', '\u200b', 12],
  },
  words: {
    kind: words(10),
    code: 'TEXT_INVALID',
    accepted: ['may quần áo'.slice(0, 10), ' a', '😀'.repeat(10)],
    refused: ['', '   ', 'a\nb', 'x'.repeat(11), 'a\u0000', '\udead', 1],
  },
  date: {
    kind: date(),
    code: 'DATE_INVALID',
    accepted: ['1990-01-01', '2024-02-29', '2199-12-31'],
    refused: ['1989-12-31', '2200-01-01', '2023-02-29', '2021-7-1', 20210701, null, '2021-07-15T00:00:00Z'],
  },
  rate: {
    kind: rate('0', '1', { below: true }),
    code: 'RATE_INVALID',
    accepted: ['0', '0.0792', '0.999999999999'],
    refused: ['1', '1.0', '-0.1', '0.0000000000001', '.1', 0.0792, '0,0792', '7.92%'],
  },
  'a rate up to its bound': {
    kind: rate('1', '10'),
    code: 'RATE_INVALID',
    accepted: ['1', '10'],
    refused: ['0.99', '10.1'],
  },
  oneOf: {
    kind: oneOf(['CASH', 'TRANSFER'], 'CODE_UNKNOWN'),
    code: 'CODE_UNKNOWN',
    accepted: ['CASH'],
    refused: ['cash', '', 'constructor', null, ['CASH']],
  },
};

describe.each(Object.entries(EXAMPLES))('a field of %s', (_, { kind, code, accepted, refused }) => {
  it.each(accepted.map((value) => [value]))('takes %j', (value) => {
    expect(read(kind, value)).toEqual({ value });
  });

  it.each(refused.map((value) => [value]))('refuses %j and says what it would take', (value) => {
    expect(read(kind, value)).toEqual({ problems: [{ field: 'field', code, accepted: kind.accepted }] });
    expect(kind.accepted).not.toBe('');
  });
});

describe('an amount', () => {
  it.each([
    [50_000_000, 50_000_000],
    ['50000000', 50_000_000],
    ['050', 50],
    ['1000000000000000', 10 ** 15],
  ])('%j is read as %d', (sent, value) => {
    expect(read(amount(), sent)).toEqual({ value });
    expect(amount().normal(sent)).toBe(value);
  });

  it('keeps in its normal form what is none', () => {
    expect(['1.5', 1.5, null, '99999999999999999999'].map((value) => amount().normal(value))).toEqual([
      '1.5',
      1.5,
      null,
      '99999999999999999999',
    ]);
  });
});

const fields = {
  loan: id('loan'),
  amount: amount(),
  note: optional(words()),
  targets: list(record({ year: integer(1990, 2199), capital: amount(0) }), 2),
  allocation: optional(record({ principal: optional(amount(0)) })),
} satisfies Fields;

const body = { loan: 'L1', amount: '5', targets: [{ year: 2021, capital: '7' }] };
const problemsOf = (value: unknown) => {
  const found = readFields(fields, value);
  return found.ok ? [] : found.error.map(({ field, code }) => [field, code]);
};

describe('a table of fields', () => {
  it('reads a body, absent optional fields as null', () => {
    expect(readFields(fields, body)).toEqual({
      ok: true,
      value: { loan: 'L1', amount: 5, note: null, targets: [{ year: 2021, capital: 7 }], allocation: null },
    });
  });

  it('reads a nested table that is there, and null as absent', () => {
    const found = readFields(fields, { ...body, note: null, allocation: {} });
    expect(found).toMatchObject({ ok: true, value: { note: null, allocation: { principal: null } } });
  });

  it.each([
    [
      'nothing',
      {},
      [
        ['loan', 'FIELD_MISSING'],
        ['amount', 'FIELD_MISSING'],
        ['targets', 'FIELD_MISSING'],
      ],
    ],
    ['a field too many', { ...body, lona: 1 }, [['lona', 'FIELD_UNKNOWN']]],
    ['null for what must be there', { ...body, loan: null }, [['loan', 'ID_INVALID']]],
    ['a list too long', { ...body, targets: [1, 2, 3] }, [['targets', 'LIST_INVALID']]],
    ['no list', { ...body, targets: {} }, [['targets', 'LIST_INVALID']]],
    ['no object in a list', { ...body, targets: [1] }, [['targets[0]', 'OBJECT_INVALID']]],
    [
      'several problems, nested ones too',
      {
        ...body,
        amount: 0,
        targets: [
          { year: 2021, capital: 0 },
          { year: 1, extra: true },
        ],
        allocation: [],
      },
      [
        ['amount', 'AMOUNT_INVALID'],
        ['targets[1].extra', 'FIELD_UNKNOWN'],
        ['targets[1].year', 'INTEGER_INVALID'],
        ['targets[1].capital', 'FIELD_MISSING'],
        ['allocation', 'OBJECT_INVALID'],
      ],
    ],
    ['a nested unknown field', { ...body, allocation: { fees: 1 } }, [['allocation.fees', 'FIELD_UNKNOWN']]],
    [
      '__proto__',
      JSON.parse('{"__proto__":{"loan":"L1"}}'),
      [
        ['__proto__', 'FIELD_UNKNOWN'],
        ['loan', 'FIELD_MISSING'],
        ['amount', 'FIELD_MISSING'],
        ['targets', 'FIELD_MISSING'],
      ],
    ],
    [
      'what is inherited',
      Object.create(body),
      [
        ['loan', 'FIELD_MISSING'],
        ['amount', 'FIELD_MISSING'],
        ['targets', 'FIELD_MISSING'],
      ],
    ],
    ['a list', [], [['', 'OBJECT_INVALID']]],
    ['null', null, [['', 'OBJECT_INVALID']]],
    ['text', 'x', [['', 'OBJECT_INVALID']]],
  ])('names what is wrong with %s', (_, value, problems) => {
    expect(problemsOf(value)).toEqual(problems);
  });

  it('names what it would take', () => {
    expect(readFields(fields, { ...body, extra: 1, amount: 0 })).toMatchObject({
      error: [
        { field: 'extra', accepted: 'only loan, amount, note, targets, allocation' },
        {
          field: 'amount',
          accepted: 'a whole number of đồng from 1 to 1000000000000000, as an integer or as text of digits',
        },
      ],
    });
  });

  it('has one normal form for an amount as number or text, nested too', () => {
    const asText = { ...body, allocation: { principal: '3' } };
    const asNumber = { loan: 'L1', amount: 5, targets: [{ year: 2021, capital: 7 }], allocation: { principal: 3 } };
    expect(normalFields(fields, asText)).toEqual(asNumber);
    expect(normalFields(fields, asNumber)).toEqual(asNumber);
  });

  it('leaves in the normal form what it does not know, __proto__ as well', () => {
    const normal = normalFields(fields, JSON.parse('{"__proto__":{"loan":"L1"},"other":"7"}'));
    expect(JSON.stringify(normal)).toBe('{"__proto__":{"loan":"L1"},"other":"7"}');
    expect(Object.getPrototypeOf(normal)).toBe(Object.prototype);
    expect(normalFields(fields, [1])).toEqual([1]);
  });

  it('is hashed as one text, whatever the body', () => {
    const fields = {
      loan: id('loan'),
      amount: amount(),
      note: optional(words()),
      of: optional(record({ b: amount() })),
    };
    const text = normalCanonicalOf(fields);
    const bodies = [
      ...[{}, [], null, 'x', 1, { amount: '7' }, { loan: 'L1', amount: 7, note: 'Trâu "bò"', of: { b: '08', a: 1 } }],
      ...[{ note: null, of: null }, { other: '7', loan: 'L1' }, JSON.parse('{"__proto__":{"loan":"L1"},"loan":"L2"}')],
      Object.create({ loan: 'L1' }),
    ];
    for (const body of bodies) expect(text(body)).toBe(canonicalJson(normalFields(fields, body)));
    expect(() => text({ loan: 'L1', note: undefined })).toThrow('no JSON form');
    expect(normalCanonicalOf({})({})).toBe('{}');
  });

  it('takes null but not absence for a nullable field of an event', () => {
    const table = { group: nullable(id('group')) };
    expect(readFields(table, { group: null })).toEqual({ ok: true, value: { group: null } });
    expect(readFields(table, {})).toMatchObject({ ok: false, error: [{ field: 'group', code: 'FIELD_MISSING' }] });
  });

  it('says the same as a JSON Schema', () => {
    expect(schemaOf(fields)).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['loan', 'amount', 'targets'],
      properties: { note: { anyOf: [{ type: 'string' }, { type: 'null' }] }, targets: { maxItems: 2 } },
    });
  });

  it.each([
    [integer(1, 9), '7', 7],
    [integer(1, 9), 'seven', 'seven'],
    [flag(), 'true', true],
    [flag(), 'yes', 'yes'],
    [amount(), '7', '7'],
    [list(amount(), 2), '[1,2]', [1, 2]],
    [record({ a: amount() }), '{"a":1}', { a: 1 }],
    [record({ a: amount() }), '{a}', '{a}'],
  ])("takes a command line's text as JSON would have it (%#)", (kind, text, value) => {
    expect((kind as Kind<unknown>).fromText(text)).toEqual(value);
  });
});

describe('canonical JSON by a table', () => {
  it.each(Object.entries(EXAMPLES))('of %s is that of canonicalJson', (_, { kind, accepted }) => {
    const by = canonicalOf({ z: nullable(kind), a: list(kind, 10), m: record({ '"b': kind, aé: kind }) });
    for (const value of accepted) {
      const data = { z: value, a: [value, value], m: { '"b': value, aé: value } };
      expect(by(data)).toBe(canonicalJson(data));
      expect(by({ ...data, z: null, a: [] })).toBe(canonicalJson({ ...data, z: null, a: [] }));
    }
  });

  it('of a value of another form is that of canonicalJson too', () => {
    const by = canonicalOf({ b: integer(0, 9), a: words() });
    for (const value of [{ a: 'x' }, { a: 'x', b: 1, c: [] }, { b: 'y', a: 2 }, {}, [], null, 'x', 1]) {
      expect(by(value)).toBe(canonicalJson(value));
    }
    expect(canonicalOf({})({})).toBe('{}');
    expect(() => by({ a: 'x', b: undefined })).toThrow('no JSON form');
  });
});
