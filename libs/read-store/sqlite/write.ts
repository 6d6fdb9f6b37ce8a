import type { ApplyOutcome, Batch, Change, Checkpoint } from '../port.js';
import {
  appendRow,
  type Cell,
  checkBatch,
  checkpointOf,
  type Encoded,
  keyText,
  sameCheckpoint,
  shapeTaking,
} from '../rows.js';
import type { Shape, Shapes } from '../shape.js';
import type { Connection } from './connection.js';
import { quoted, storedCheckpoints, tableOf } from './schema.js';

/** Rows in one statement, largest first: the rest of a run goes by the next smaller size. Measured: 256 at once are
 * two to three times as fast as one by one. */
const ROWS_AT_ONCE = [256, 32, 4, 1] as const;
const PARAMETERS_MAX = 32_766;
/**
 * Most measures of most cells are 0, and each that need not be bound is a tenth of a microsecond. So many patterns of
 * which are not 0 have statements of their own, of each collection the first that are met; the rest binds all.
 */
const PATTERNS_MAX = 6;
const PATTERN_BITS = 30;
const ALL_MEASURES = -1;

/** A batch whose names and types were checked, as the rows that it writes. */
export interface Rows {
  readonly batch: Batch;
  readonly collections: ReadonlyMap<Shape, readonly Run[]>;
}

/** Rows of one collection and operation, one behind another: no object a row, as the driver takes them flat. */
interface Run {
  readonly op: Encoded['op'];
  /** Of cells: the measures that are bound, a bit each. The others are 0. */
  readonly pattern: number;
  readonly width: number;
  readonly values: Cell[];
}

/** Collections are independent, so each one's changes are taken together; inside one, order is kept. */
export function rowsOf(batch: Batch, shapes: Shapes): Rows {
  checkBatch(batch);
  const collections = new Map<Shape, Run[]>();
  let [shape, runs]: [Shape | undefined, Run[]] = [undefined, []];
  for (const change of batch.changes) {
    const taking = shapeTaking(shapes, change);
    if (taking !== shape) {
      shape = taking;
      runs = collections.get(shape) ?? [];
      collections.set(shape, runs);
    }
    if (change.op === 'add') appendCell(runs, shape, change);
    else appendRow(shape, change, runFor(runs, shape, change.op).values);
  }
  return { batch, collections };
}

/** Writes a batch inside a transaction that the caller holds: whatever is thrown must roll it back. */
export function writeRows(writer: Connection, { batch, collections }: Rows): ApplyOutcome {
  const checkpoint = checkpointOf(storedCheckpoints(writer), batch.partition);
  if (!sameCheckpoint(checkpoint, batch.from)) return { outcome: 'elsewhere', checkpoint };
  for (const [shape, runs] of collections) for (const run of joined(shape, runs)) writeRun(writer, shape, run);
  writeCheckpoint(writer, batch.partition, batch.to);
  return { outcome: 'applied' };
}

function runFor(runs: Run[], shape: Shape, op: 'put' | 'remove'): Run {
  const last = runs.at(-1);
  if (last?.op === op) return last;
  const width = op === 'remove' ? shape.key.length : shape.columns.length;
  const run: Run = { op, pattern: ALL_MEASURES, width, values: [] };
  runs.push(run);
  return run;
}

/** Sums add up in any order, so cells may be told apart by which of their measures are not 0. */
function appendCell(runs: Run[], shape: Shape, change: Change): void {
  const row: Cell[] = [];
  appendRow(shape, change, row);
  const first = shape.key.length;
  let pattern = row.length - first > PATTERN_BITS ? ALL_MEASURES : 0;
  if (pattern === 0) for (let i = first; i < row.length; i++) if (row[i] !== 0) pattern |= 1 << (i - first);
  if (!isKnown(shape, pattern)) pattern = ALL_MEASURES;
  let run = runs.find((it) => it.pattern === pattern);
  if (run === undefined) {
    run = { op: 'add', pattern, width: first + boundOf(shape, pattern).length, values: [] };
    runs.push(run);
  }
  for (let i = 0; i < row.length; i++) {
    if (i < first || isBound(pattern, i - first)) run.values.push(row[i] as Cell);
  }
}

const isBound = (pattern: number, measure: number): boolean =>
  pattern === ALL_MEASURES || ((pattern >> measure) & 1) === 1;

const boundOf = (shape: Shape, pattern: number) => shape.rest.filter((_, place) => isBound(pattern, place));

const patterns = new WeakMap<Shape, Set<number>>();

function isKnown(shape: Shape, pattern: number): boolean {
  let known = patterns.get(shape);
  if (known === undefined) {
    known = new Set();
    patterns.set(shape, known);
  }
  if (known.has(pattern)) return true;
  if (known.size >= PATTERNS_MAX) return false;
  known.add(pattern);
  return true;
}

/** Where puts and removes alternate and no document has two of them, their order says nothing: one run of each. */
function joined(shape: Shape, runs: readonly Run[]): readonly Run[] {
  if (runs.length < 3 || shape.kind === 'cells') return runs;
  const keys = new Set<string>();
  const whole: Run[] = [];
  for (const { op, pattern, width, values } of runs) {
    const run = whole.find((it) => it.op === op) ?? { op, pattern, width, values: [] };
    if (run.values.length === 0) whole.push(run);
    for (let at = 0; at < values.length; at += width) {
      const key = keyText(values, shape.key.length, at);
      if (keys.has(key)) return runs;
      keys.add(key);
    }
    for (const value of values) run.values.push(value);
  }
  return whole;
}

function writeRun(writer: Connection, shape: Shape, run: Run): void {
  const { width, values } = run;
  const starts = startsInOrder(shape, run);
  let at = 0;
  for (const size of ROWS_AT_ONCE) {
    if (size > 1 && size * width > PARAMETERS_MAX) continue;
    if (starts.length - at < size) continue;
    const sql = statementOf(shape, run, size);
    const statement = writer.take(sql, false);
    const params: Cell[] = Array(size * width);
    for (; starts.length - at >= size; at += size) {
      let place = 0;
      for (let row = at; row < at + size; row++) {
        const start = starts[row] as number;
        for (let i = 0; i < width; i++) params[place++] = values[start + i] as Cell;
      }
      statement.run(params);
    }
    writer.give(sql, statement);
  }
}

/**
 * Where each row begins, in the order of the primary index: neighbours share a page, and each page is then sought once
 * a batch. The sort is stable, so that of two rows of one document the last one still wins.
 */
function startsInOrder(shape: Shape, { width, values }: Run): number[] {
  const starts: number[] = [];
  for (let at = 0; at < values.length; at += width) starts.push(at);
  const keyLength = shape.key.length;
  return starts.sort((a, b) => {
    for (let i = 0; i < keyLength; i++) {
      const [x, y] = [values[a + i] as string, values[b + i] as string];
      if (x !== y) return x < y ? -1 : 1;
    }
    return 0;
  });
}

/** Texts of statements by what they are for: some are long, and each is wanted by every batch. */
const statements = new WeakMap<Shape, Map<string, string>>();

function statementOf(shape: Shape, run: Run, rows: number): string {
  let known = statements.get(shape);
  if (known === undefined) {
    known = new Map();
    statements.set(shape, known);
  }
  const name = `${run.op} ${run.pattern} ${rows}`;
  const sql = known.get(name) ?? makeStatement(shape, run, rows);
  known.set(name, sql);
  return sql;
}

function makeStatement(shape: Shape, { op, pattern }: Run, rows: number): string {
  const table = tableOf(shape.name);
  const key = shape.key.map(({ name }) => quoted(name));
  if (op === 'remove') {
    const values = repeated(`(${repeated('?', key.length)})`, rows);
    return `DELETE FROM ${table} WHERE (${key.join()}) IN (VALUES ${values})`;
  }
  const columns = shape.columns.map(({ name }) => quoted(name));
  const sets = boundOf(shape, pattern).map(({ name }) => {
    const [own, other] = [quoted(name), `excluded.${quoted(name)}`];
    return op === 'add' ? `${own} = ${own} + ${other}` : `${own} = ${other}`;
  });
  const conflict = sets.length === 0 ? 'DO NOTHING' : `(${key.join()}) DO UPDATE SET ${sets.join()}`;
  const places = columns.map((_, i) => (i < key.length || isBound(pattern, i - key.length) ? '?' : '0'));
  const values = repeated(`(${places.join()})`, rows);
  return `INSERT INTO ${table} (${columns.join()}) VALUES ${values} ON CONFLICT ${conflict}`;
}

function writeCheckpoint(writer: Connection, partition: number, to: Checkpoint): void {
  writer.run(
    `INSERT INTO socai_checkpoints (partition, sequence, position) VALUES (?, ?, ?)
     ON CONFLICT (partition) DO UPDATE SET sequence = excluded.sequence, position = excluded.position`,
    [partition, to.sequence, to.position],
  );
}

const repeated = (text: string, times: number): string => Array(times).fill(text).join();
