import type { Sheet } from './sheet.js';

export type Task = (sheet: Sheet) => void;

/** What was decided to be done on a later day, by day, in the order in which it was decided. */
export class Agenda {
  readonly #days = new Map<number, Task[]>();

  at(day: number, task: Task): void {
    const tasks = this.#days.get(day);
    if (tasks === undefined) this.#days.set(day, [task]);
    else tasks.push(task);
  }

  /** Does what is noted for the day. Something noted for the same day meanwhile is done too. */
  run(sheet: Sheet): void {
    const tasks = this.#days.get(sheet.day.number) ?? [];
    for (const task of tasks) task(sheet);
    this.#days.delete(sheet.day.number);
  }
}
