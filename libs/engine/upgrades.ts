import type { Followed } from './ledger.js';
import type { RebuildMark } from './marks.js';
import type { ProjectorOptions } from './projector.js';

/** How long a rebuild that failed is not tried again, and half as long more or less by chance. */
const AGAIN_MS = 30_000;

/** Read models whose live instance is of another version than this program makes. */
export class Upgrades {
  readonly #rebuilding = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, { readonly text: string; readonly until: number }>();

  constructor(private readonly options: Pick<ProjectorOptions, 'outdated' | 'onFault' | 'now'>) {}

  /**
   * Begins to rebuild an earlier version, unless a mark says that somebody does: who dies at it leaves a mark that ends. A
   * later one is left to projectors of its version, or the two would rebuild by turns for ever. Answers with what is wrong
   * until then.
   */
  upgrade(one: Followed, live: string, rebuilt: RebuildMark | undefined, signal: AbortSignal): string {
    const { name, version } = one.model;
    if (Number(live.slice(name.length + 1).split('.')[0]) > version) {
      return `${live} is live, of a later version than this program makes`;
    }
    const told = `${live} is live, of an earlier version`;
    const failure = this.#failures.get(name);
    const waits = rebuilt !== undefined || this.#rebuilding.has(name) || this.options.now() < (failure?.until ?? 0);
    if (!waits) this.#rebuilding.set(name, this.#rebuild(one, signal));
    if (rebuilt !== undefined) return `${told}: ${rebuilt.value.instance} is being built`;
    return failure === undefined ? told : `${told}, and building the later one failed: ${failure.text}`;
  }

  /** When what was begun is over. */
  async settled(): Promise<void> {
    await Promise.all(this.#rebuilding.values());
  }

  async #rebuild(one: Followed, signal: AbortSignal): Promise<void> {
    const { outdated, onFault, now } = this.options;
    const { name } = one.model;
    try {
      await outdated?.(one, signal);
      this.#failures.delete(name);
    } catch (error) {
      if (signal.aborted) return;
      const text = error instanceof Error ? error.message : String(error);
      this.#failures.set(name, { text, until: now() + AGAIN_MS * (0.5 + Math.random()) });
      onFault(error);
    } finally {
      this.#rebuilding.delete(name);
    }
  }
}

/** Whether an instance is of this version. */
export const isInstanceOf = (instance: string, name: string, version: number): boolean =>
  instance === `${name}.${version}` || instance.startsWith(`${name}.${version}.`);
