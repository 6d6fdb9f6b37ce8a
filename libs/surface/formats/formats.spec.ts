import { toCsv } from './csv.js';
import { toJson } from './json.js';
import { formatOf, languageOf } from './negotiate.js';
import { dateText, dongText, percentShort, percentText, wholeText } from './vietnamese.js';

describe('JSON', () => {
  it('has amounts beyond 2^53 as text and others as numbers', () => {
    expect(toJson({ small: 9007199254740991n, large: 9007199254740992n, plain: 5 })).toBe(
      '{"small":9007199254740991,"large":"9007199254740992","plain":5}',
    );
  });
});

describe('CSV (RFC 4180)', () => {
  const tables = [
    ['a header and CRLF', [{ a: 1, b: 'x' }], 'a,b\r\n1,x\r\n'],
    ['the columns of all rows', [{ a: 1 }, { b: 2 }], 'a,b\r\n1,\r\n,2\r\n'],
    ['quotes around what would be taken for more', [{ a: 'x,"y"\n' }], 'a\r\n"x,""y""\n"\r\n'],
    ['null as nothing, and lists as JSON', [{ a: null, b: [1] }], 'a,b\r\n,[1]\r\n'],
    ['amounts beyond 2^53 in full', [{ a: 9007199254740993n }], 'a\r\n9007199254740993\r\n'],
  ] as const;
  it.each(tables)('has %s', (_, rows, text) => expect(toCsv(rows)).toBe(text));
  it('names the columns of an answer without rows', () =>
    expect(toCsv([], ['district', 'loans'])).toBe('district,loans\r\n'));
});

describe('negotiation', () => {
  it.each([
    [undefined, 'en'],
    ['vi-VN,vi;q=0.9,en;q=0.5', 'vi'],
    ['en;q=0.5, vi', 'vi'],
    ['fr, en;q=0.1', 'en'],
    ['vi;q=0', 'en'],
  ])('takes %s as %s', (header, language) => expect(languageOf(header)).toBe(language));
  it.each([
    [undefined, 'json'],
    ['*/*', 'json'],
    ['text/csv', 'csv'],
    ['application/x-ndjson;q=0.9, text/csv;q=0.5', 'ndjson'],
    ['text/html, */*;q=0.1', 'json'],
  ])('takes %s as %s', (header, format) => expect(formatOf(header)).toBe(format));
});

describe('figures as readers write them', () => {
  it.each([
    [0, '0'],
    [1234567, '1.234.567'],
    [-1000, '−1.000'],
    ['9007199254740993', '9.007.199.254.740.993'],
  ])('writes %s as %s', (value, text) => expect(wholeText(value)).toBe(text));
  it('writes đồng with a space that does not break', () => expect(dongText(1234567)).toBe('1.234.567\u00a0₫'));
  it.each([
    ['0.000500', '0,05%'],
    ['0.981234', '98,1234%'],
    ['1.000000', '100,00%'],
    ['0.100000', '10,00%'],
    ['12.345600', '1.234,56%'],
    [null, '–'],
  ])('writes the fraction %s as %s', (fraction, text) => expect(percentText(fraction)).toBe(text));
  it.each([
    ['0.003877', '0,39%'],
    ['0.022020', '2,20%'],
    ['0.000482', '0,0482%'],
    ['0.000999', '0,0999%'],
    ['0.999950', '100,00%'],
    ['0.000000', '0,00%'],
    [null, '–'],
  ])('writes the fraction %s as %s where there is little room', (fraction, text) =>
    expect(percentShort(fraction)).toBe(text),
  );
  it('writes days', () =>
    expect([dateText('2021-07-15'), dateText('2021-07-15', 'en')]).toEqual(['15/07/2021', '2021-07-15']));
});
