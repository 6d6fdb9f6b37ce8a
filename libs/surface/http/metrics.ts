import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { FollowerStatus } from '../../engine/answers.js';

const COMMAND_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What is measured, in a registry of its own: two services in one process do not meet. */
export class Measurements {
  readonly registry = new Registry();
  readonly #commands = new Counter({
    name: 'socai_commands_total',
    help: 'Commands answered, by name and outcome: accepted, duplicate, or the code of the refusal.',
    labelNames: ['command', 'outcome'] as const,
    registers: [this.registry],
  });
  readonly #commandSeconds = new Histogram({
    name: 'socai_command_duration_seconds',
    help: 'From a command to its durable answer.',
    labelNames: ['command'] as const,
    buckets: COMMAND_SECONDS,
    registers: [this.registry],
  });
  readonly #requestSeconds = new Histogram({
    name: 'socai_http_request_duration_seconds',
    help: 'HTTP requests, by route, method and status.',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: COMMAND_SECONDS,
    registers: [this.registry],
  });

  constructor(private readonly known: ReadonlySet<string>) {
    collectDefaultMetrics({ register: this.registry });
  }

  /** Followers are asked when the metrics are read. */
  watch(followers: () => readonly FollowerStatus[]): void {
    const watch = (name: string, help: string, value: (status: FollowerStatus) => number) =>
      this.gauge(name, help, ['follower', 'instance', 'kind'], () =>
        followers().map((status) => {
          const { name: follower, instance, kind } = status;
          return { follower, instance, kind, value: value(status) };
        }),
      );
    watch('socai_follower_lag_seconds', 'Since a follower was last caught up.', ({ lagSeconds }) => lagSeconds);
    watch('socai_follower_sequence', 'Events that a follower has taken.', ({ sequence }) => sequence);
    watch('socai_follower_halted', '1 while a follower stands at an event that it cannot take.', ({ state }) =>
      state === 'halted' ? 1 : 0,
    );
  }

  /** What is asked when the metrics are read: a line for each set of labels. */
  gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    lines: () => Lines<Label>,
  ): void {
    new Gauge({
      ...{ name, help, labelNames: [...labelNames], registers: [this.registry] },
      collect() {
        this.reset();
        for (const { value, ...labels } of lines()) this.set(labels as unknown as Record<Label, string>, Number(value));
      },
    });
  }

  command(command: string, outcome: string, milliseconds?: number): void {
    // Names that callers invent would grow the registry without bound.
    const name = this.known.has(command) ? command : 'unknown';
    this.#commands.inc({ command: name, outcome });
    if (milliseconds !== undefined) this.#commandSeconds.observe({ command: name }, milliseconds / 1_000);
  }

  request(method: string, route: string, status: number, milliseconds: number): void {
    this.#requestSeconds.observe({ method, route, status: String(status) }, milliseconds / 1_000);
  }
}

type Lines<Label extends string> = Iterable<Readonly<Record<Label, string>> & { readonly value: number }>;
