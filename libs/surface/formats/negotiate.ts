export type Language = 'en' | 'vi';
export const ANSWER_FORMATS = ['json', 'csv', 'ndjson'] as const;
export type AnswerFormat = (typeof ANSWER_FORMATS)[number];

interface Wish {
  readonly of: string;
  readonly quality: number;
}

const TYPES: Readonly<Record<string, AnswerFormat>> = {
  'application/json': 'json',
  'text/csv': 'csv',
  'application/x-ndjson': 'ndjson',
};

/** The language of `Accept-Language` that comes first among ours; English when there is none. */
export function languageOf(header: string | undefined): Language {
  for (const { of } of wishes(header)) {
    const language = of.split('-', 1)[0];
    if (language === 'vi' || language === 'en') return language;
  }
  return 'en';
}

/** The form of `Accept` that comes first among ours; JSON when there is none. */
export function formatOf(header: string | undefined): AnswerFormat {
  for (const { of } of wishes(header)) {
    const format = Object.hasOwn(TYPES, of) ? TYPES[of] : undefined;
    if (format !== undefined) return format;
    if (of === '*/*' || of === 'application/*') return 'json';
  }
  return 'json';
}

/** What a header asks for, the most wanted first, without what it does not want at all. */
function wishes(header: string | undefined): readonly Wish[] {
  return (header ?? '')
    .split(',')
    .map((part) => {
      const [of = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
      const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
      return { of, quality: quality === undefined ? 1 : Number(quality) || 0 };
    })
    .filter(({ of, quality }) => of !== '' && quality > 0)
    .sort((a, b) => b.quality - a.quality);
}
