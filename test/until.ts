import { setTimeout as wait } from 'node:timers/promises';

/** Waits some seconds for what is to come about. */
export async function until(condition: () => boolean | Promise<boolean>, msMax = 6_000): Promise<void> {
  for (const deadline = Date.now() + msMax; !(await condition()); await wait(10)) {
    if (Date.now() > deadline) throw new Error('it does not come to that');
  }
}
