import type { Readable, Writable } from 'node:stream';
import type { ImportReport, ImportRequest } from '../../engine/import-history.js';
import type { Ledger } from '../../engine/ledger.js';
import type { LocalDate } from '../../kernel/dates.js';
import type { CommandEntry } from '../../kernel/decider.js';
import type { Query } from '../../projections/projection.js';
import type { Place } from '../config.js';

/** A ledger in a data directory, opened by this process. */
export interface OpenedLedger {
  readonly ledger: Ledger;
  close(): Promise<void>;
}

/** The events of a data directory alone: read beside whoever writes them. */
export interface OpenedEvents {
  readonly source: Pick<Ledger, 'store' | 'digest'>;
  close(): Promise<void>;
}

/** What a verb does with the ledger. Only reading leaves a directory without a ledger as it is. */
export type Purpose = 'read' | 'write';

/** How a data directory is reached: through the server that holds it, or by opening it. */
export type Reached =
  | { readonly by: 'server'; readonly address: string }
  | { readonly by: 'opening'; readonly opened: OpenedLedger };

export interface ServeRequest {
  readonly data: string;
  readonly place: Place;
  readonly simulated: boolean;
  /** Simulates a small programme where there is no ledger, or goes on with one that was interrupted. */
  readonly first: ((progress: SimulationProgress) => void) | null;
}

export interface SimulateRequest {
  readonly data: string;
  /** In millionths of the whole programme. */
  readonly scale: number;
  readonly seed: number;
  readonly from: LocalDate;
  readonly to: LocalDate;
  readonly progress: (progress: SimulationProgress) => void;
}

/** After each day that was closed, and then while read models are built of all of them. */
export interface SimulationProgress {
  readonly doing: 'days' | 'read models';
  /** The last day that is done. */
  readonly day: LocalDate;
  /** Of the events to come, roughly, or of those to take, from 0 to 1. */
  readonly share: number;
  readonly events: number;
}

/** What a simulation came to: its events and digest are those of the ledger. */
export interface SimulateReport {
  readonly events: number;
  readonly digest: string;
  readonly seconds: number;
  /** Of this run; the refused ones are meant to be. */
  readonly lines: number;
  readonly refused: number;
  readonly scale: string;
  readonly seed: number;
  readonly from: LocalDate;
  readonly to: LocalDate;
}

export interface ServedDirectory {
  readonly address: string;
  readonly simulated: boolean;
  /** Resolves when the service was asked to stop and has stopped. */
  readonly stopped: Promise<void>;
}

/** What the command line needs of the machine that it runs on. Made by the composition root, which names adapters. */
export interface Host {
  readonly commands: readonly CommandEntry[];
  readonly queries: readonly Query[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /**
   * Finds the server that holds the directory, or takes the hold and opens it. A reader waits for the hold; a second
   * writer is refused with `LEDGER_HELD`. The refusals of stores keep their codes.
   */
  reach(data: string, purpose: Purpose, options: { readonly simulated: boolean }): Promise<Reached>;
  /** The server that holds the directory, or the events of it, without any hold. */
  reachEvents(
    data: string,
  ): Promise<
    { readonly by: 'server'; readonly address: string } | { readonly by: 'opening'; readonly opened: OpenedEvents }
  >;
  serve(request: ServeRequest): Promise<ServedDirectory>;
  /** Replays the programme in a directory that it holds meanwhile. */
  simulate(request: SimulateRequest): Promise<SimulateReport>;
  /** Moves a ledger into the event store of the distributed profile, as the environment names it. */
  importHistory(request: Omit<ImportRequest, 'target'>): Promise<ImportReport>;
  /** Runs the measurements of a checkout, or null where there are none. */
  readonly bench: ((args: readonly string[]) => Promise<number>) | null;
}
