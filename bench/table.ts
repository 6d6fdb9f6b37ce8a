import { type Goal, isSkipped, type Line, type Row } from './measurement.js';

/** What the table was measured with. */
export interface Setting {
  readonly date: string;
  readonly machine: string;
  readonly node: string;
  readonly rounds: string;
}

/** The table as Markdown, which reads as well on a terminal. */
export function tableOf(lines: readonly Line[]): string {
  const rows = [
    ['what', 'measured', 'beside it', 'ratio', 'goal', 'against the goal'],
    ...lines.map((line) => (isSkipped(line) ? [line.what, `skipped: ${line.skipped}`, '', '', '', ''] : cells(line))),
  ];
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

function cells({ what, value, unit, beside, goal }: Row): string[] {
  const side =
    beside === undefined ? ['', ''] : [`${beside.what}: ${amount(beside.value)}`, times(value / beside.value)];
  const aim = goal === undefined ? ['', ''] : [`${goal.bound} ${amount(goal.value)}`, verdict(reached(value, goal))];
  return [what, `${amount(value)}${unit.startsWith('/') ? unit : ` ${unit}`}`, ...side, ...aim];
}

const verdict = (part: number): string =>
  part >= 1 ? `met, ${times(part)}` : `missed, at ${Math.floor(part * 100)} % of it`;
const times = (ratio: number): string => `${ratio.toFixed(2)} ×`;
const amount = (value: number): string => Math.round(value).toLocaleString('en-US');
