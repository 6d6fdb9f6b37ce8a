import { type Goal, isSkipped, type Line, type Row } from './measurement.js';

/** What the table was measured with. */
export interface Setting {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly rounds: string;
}

const HEAD = ['what', 'measured', 'beside it', 'ratio', 'goal', 'against the goal'] as const;

/** The tables as Markdown, which reads as well on a terminal: what stands by itself, and what was measured by scale. */
export function tableOf(lines: readonly Line[]): string {
  const scaled = lines.filter((line): line is Row => !isSkipped(line) && line.scale !== undefined);
  const single = lines.filter((line) => isSkipped(line) || line.scale === undefined);
  const tables = [
    ...(single.length > 0 ? [singleTable(single)] : []),
    ...(scaled.length > 0 ? [growthTable(scaled)] : []),
  ];
  return tables.join('\n\n');
}

function singleTable(lines: readonly Line[]): string {
  return ruled([
    HEAD,
    ...lines.map((line) => (isSkipped(line) ? [line.what, `skipped: ${line.skipped}`, '', '', '', ''] : cells(line))),
  ]);
}

/** One column a scale: how each cost grows with the programme; what stands beside it and the goal are for the largest. */
function growthTable(rows: readonly Row[]): string {
  const scales = [...new Set(rows.map(({ scale }) => scale ?? 0))].sort((a, b) => a - b);
  const whats = [...new Set(rows.map(({ what }) => what))];
  const at = (what: string, scale: number | undefined) => rows.find((row) => row.what === what && row.scale === scale);
  return ruled([
    ['the programme', ...scales.map((scale) => `scale ${scale}`), 'grows', ...HEAD.slice(2)],
    ...whats.map((what) => {
      const found = scales.map((scale) => at(what, scale));
      const [first, last] = [found[0], found.at(-1)];
      const growth =
        first !== undefined && last !== undefined && scales.length > 1 ? times(last.value / first.value) : '';
      const cells = found.map((row) => (row === undefined ? '' : measured(row)));
      return [what, ...cells, growth, ...(last === undefined ? ['', '', '', ''] : besideAndGoal(last))];
    }),
  ]);
}

function ruled(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const text = rows.map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`);
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`;
  return [text[0], rule, ...text.slice(1)].join('\n');
}

/** The page that `--write` keeps. */
export function pageOf(setting: Setting, lines: readonly Line[]): string {
  return `# Benchmarks

What \`npm run bench -- --write\` measured; \`npm run bench\` prints the same table on your machine.

- ${setting.date}, ${setting.machine}, ${setting.node}
- ${setting.rounds}
- Each row stands beside a peer or a raw limit of the same run: the ratio says more than the number.

${tableOf(lines)}
`;
}

/** How far a goal is met: 1 is just met, above is better. */
export function reached(value: number, { value: goal, bound }: Goal): number {
  return bound === 'at least' ? value / goal : goal / value;
}

const cells = (row: Row): string[] => [row.what, measured(row), ...besideAndGoal(row)];

function besideAndGoal({ value, beside, goal }: Row): string[] {
  const side =
    beside === undefined ? ['', ''] : [`${beside.what}: ${amount(beside.value)}`, times(value / beside.value)];
  const aim = goal === undefined ? ['', ''] : [`${goal.bound} ${amount(goal.value)}`, verdict(reached(value, goal))];
  return [...side, ...aim];
}

const measured = ({ value, unit }: Pick<Row, 'value' | 'unit'>): string =>
  `${amount(value)}${unit.startsWith('/') ? unit : ` ${unit}`}`;
const verdict = (part: number): string =>
  part >= 1 ? `met, ${times(part)}` : `missed, at ${Math.floor(part * 100)} % of it`;
const times = (ratio: number): string => `${ratio.toFixed(2)} ×`;
/** Two digits at least: a time of two milliseconds is not rounded to one. */
const amount = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0 });
