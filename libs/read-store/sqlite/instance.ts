import { existsSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { invariant } from '../../kernel/result.js';
import type { ApplyOutcome, Checkpoint } from '../port.js';
import { checkpointOf } from '../rows.js';
import { parseDefinition, type Shapes, shapesOf } from '../shape.js';
import { Connection } from './connection.js';
import { named } from './errors.js';
import { checkFile, removeFile } from './file.js';
import {
  createIndexes,
  createInstance,
  type InstanceRow,
  isThere,
  prepareFor,
  prepareWriter,
  storedCheckpoints,
  storedInstance,
  type WriterOptions,
} from './schema.js';
import { type Rows, writeRows } from './write.js';

/** The file of an instance was dropped, by this store or another on the directory. */
export class Dropped extends Error {
  override readonly name = 'Dropped';
  constructor(readonly path: string) {
    super(`${path} was dropped`);
  }
}

/** One instance's file with the connection that writes it. Its definition stays the same as long as it is there. */
export class InstanceFile {
  private constructor(
    readonly path: string,
    private readonly writer: Connection,
    readonly definition: string,
    readonly shapes: Shapes,
  ) {}

  /** Makes the file. Whatever a killed process left in its place was never in the catalogue. */
  static create(path: string, row: InstanceRow, options: WriterOptions): InstanceFile {
    removeFile(path);
    const writer = new Connection(path);
    try {
      prepareWriter(writer, options);
      prepareFor(writer, row.building);
      const shapes = shapesIn(row.definition);
      writer.transaction(() => createInstance(writer, row, shapes.values()));
      return new InstanceFile(path, writer, row.definition, shapes);
    } catch (error) {
      writer.close();
      removeFile(path);
      throw named(error, path);
    }
  }

  /** Opens a file that is there. Undefined where it is missing, or was left by a process killed as it dropped it. */
  static attach(path: string, instance: string, options: WriterOptions): InstanceFile | undefined {
    if (!existsSync(path)) return undefined;
    checkFile(path);
    const writer = new Connection(path);
    try {
      prepareWriter(writer, options);
      const row = storedInstance(writer);
      if (row === undefined) {
        writer.close();
        return undefined;
      }
      invariant(row.name === instance, `${path} holds ${row.name}, not ${instance}`);
      prepareFor(writer, row.building);
      return new InstanceFile(path, writer, row.definition, shapesIn(row.definition));
    } catch (error) {
      writer.close();
      throw named(error, path);
    }
  }

  /** All of the batches or none, in one transaction. */
  apply(batches: readonly Rows[]): readonly ApplyOutcome[] {
    return this.#write(() => batches.map((rows) => writeRows(this.writer, rows)));
  }

  checkpoint(partition: number): Checkpoint {
    return this.#named(() => {
      if (!isThere(this.writer)) throw new Dropped(this.path);
      return checkpointOf(storedCheckpoints(this.writer), partition);
    });
  }

  isBuilding(): boolean {
    return this.#named(() => {
      const row = storedInstance(this.writer);
      if (row === undefined) throw new Dropped(this.path);
      return row.building;
    });
  }

  /** Each index in a transaction of its own, so that a crash costs one and the log need hold only one. */
  async finish(): Promise<void> {
    for (const shape of this.shapes.values()) {
      for (const sql of createIndexes(shape)) {
        this.#write(() => this.writer.exec(sql));
        await setImmediate();
      }
    }
    this.#write(() => this.writer.run('UPDATE socai_instance SET building = 0', []));
    prepareFor(this.writer, false);
  }

  /** Tells all who have the file open, and takes it away: whoever reads it reads on. */
  drop(): void {
    this.#write(() => this.writer.run('DELETE FROM socai_instance', []));
    // First: the last one to close a file that is there copies its log into it.
    removeFile(this.path);
    this.writer.close();
  }

  close(): void {
    this.writer.closeWhole();
  }

  /** Lets go of a file that another store dropped. */
  forget(): void {
    this.writer.close();
  }

  #write<T>(work: () => T): T {
    return this.#named(() =>
      this.writer.transaction(() => {
        if (!isThere(this.writer)) throw new Dropped(this.path);
        return work();
      }),
    );
  }

  #named<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw named(error, this.path);
    }
  }
}

const shapesIn = (definition: string): Shapes =>
  shapesOf({ name: 'stored', version: 0, collections: parseDefinition(definition) });
