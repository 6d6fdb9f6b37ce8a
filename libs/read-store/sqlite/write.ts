import type { ApplyOutcome, Batch, Checkpoint } from '../port.js';
import { type Cell, checkBatch, checkpointOf, type Encoded, encode, sameCheckpoint } from '../rows.js';
import type { Shape } from '../shape.js';
import type { Connection } from './connection.js';
import { type Definitions, quoted, storedCheckpoints, storedDefinition, tableOf } from './schema.js';

/** Rows in one statement, largest first: the rest of a run goes by the next smaller size. Measured: 256 at once are
 * two to three times as fast as one by one. */
const ROWS_AT_ONCE = [256, 32, 1] as const;
const PARAMETERS_MAX = 32_766;

/** Applies one batch inside a transaction that the caller holds: whatever is thrown must roll it back. */
export function applyBatch(writer: Connection, definitions: Definitions, batch: Batch): ApplyOutcome {
  checkBatch(batch);
  const shapes = definitions.shapes(storedDefinition(writer, batch.model));
  const checkpoint = checkpointOf(storedCheckpoints(writer, batch.model), batch.partition);
  if (!sameCheckpoint(checkpoint, batch.from)) return { outcome: 'elsewhere', checkpoint };
  for (const [shape, runs] of runsOf(batch, (change) => encode(shapes, change))) {
    for (const run of runs) writeRun(writer, batch.model, shape, run);
  }
  writeCheckpoint(writer, batch, batch.to);
  return { outcome: 'applied' };
}

/** Changes of one collection and kind that follow one another. */
interface Run {
  readonly op: Encoded['op'];
  readonly rows: Cell[][];
}

/** Collections are independent, so each one's changes are taken together; inside one, order is kept. */
function runsOf(batch: Batch, encoded: (change: Batch['changes'][number]) => Encoded): Map<Shape, Run[]> {
  const collections = new Map<Shape, Run[]>();
  for (const change of batch.changes) {
    const { op, shape, row } = encoded(change);
    let runs = collections.get(shape);
    if (runs === undefined) {
      runs = [];
      collections.set(shape, runs);
    }
    const run = runs.at(-1);
    if (run?.op === op) run.rows.push(row);
    else runs.push({ op, rows: [row] });
  }
  return collections;
}

function writeRun(writer: Connection, instance: string, shape: Shape, run: Run): void {
  const width = run.op === 'remove' ? shape.key.length : shape.columns.length;
  let at = 0;
  for (const size of ROWS_AT_ONCE) {
    if (size > 1 && size * width > PARAMETERS_MAX) continue;
    if (run.rows.length - at < size) continue;
    const sql = statementOf(instance, shape, run.op, size);
    const statement = writer.take(sql, false);
    for (; run.rows.length - at >= size; at += size) statement.run(flat(run.rows, at, at + size));
    writer.give(sql, statement);
  }
}

function statementOf(instance: string, shape: Shape, op: Encoded['op'], rows: number): string {
  const table = tableOf(instance, shape.name);
  const key = shape.key.map(({ name }) => quoted(name));
  if (op === 'remove') {
    const values = repeated(`(${repeated('?', key.length)})`, rows);
    return `DELETE FROM ${table} WHERE (${key.join()}) IN (VALUES ${values})`;
  }
  const columns = shape.columns.map(({ name }) => quoted(name));
  const rest = shape.rest.map(({ name }) => quoted(name));
  const sets = rest.map((it) => (op === 'add' ? `${it} = ${it} + excluded.${it}` : `${it} = excluded.${it}`));
  const conflict = sets.length === 0 ? 'DO NOTHING' : `(${key.join()}) DO UPDATE SET ${sets.join()}`;
  const values = repeated(`(${repeated('?', columns.length)})`, rows);
  return `INSERT INTO ${table} (${columns.join()}) VALUES ${values} ON CONFLICT ${conflict}`;
}

function writeCheckpoint(writer: Connection, batch: Batch, to: Checkpoint): void {
  writer.run(
    `INSERT INTO socai_checkpoints (instance, partition, sequence, position) VALUES (?, ?, ?, ?)
     ON CONFLICT (instance, partition) DO UPDATE SET sequence = excluded.sequence, position = excluded.position`,
    [batch.model, batch.partition, to.sequence, to.position],
  );
}

function flat(rows: readonly Cell[][], from: number, to: number): Cell[] {
  const params: Cell[] = [];
  for (const row of rows.slice(from, to)) for (const value of row) params.push(value);
  return params;
}

const repeated = (text: string, times: number): string => Array(times).fill(text).join();
