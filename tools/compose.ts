import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/* What docker-compose.yml and the Dockerfile say of a service: specs run each app with the very environment that they give. */

export interface ComposeService {
  readonly image?: string;
  readonly user?: string;
  readonly build?: string;
  readonly pull_policy?: string;
  readonly restart?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly profiles?: readonly string[];
  readonly ports?: readonly string[];
}

export interface Compose {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

export function readCompose(path = 'docker-compose.yml'): Compose {
  return parse(readFileSync(path, 'utf8'), { merge: true }) as Compose;
}

/** What the image sets for all services (`ENV` of the Dockerfile). */
export function imageEnvironment(path = 'Dockerfile'): Readonly<Record<string, string>> {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('ENV '));
  return Object.fromEntries(
    lines.flatMap((line) =>
      line
        .slice('ENV '.length)
        .split(' ')
        .map((pair) => pair.split('=') as [string, string]),
    ),
  );
}

/** How Docker asks whether an app is healthy (`HEALTHCHECK` of the Dockerfile): a command and its arguments. */
export function healthCheck(path = 'Dockerfile'): readonly string[] {
  const [, command] = /^HEALTHCHECK [^[]*CMD (\[.*\])$/m.exec(readFileSync(path, 'utf8').replaceAll('\\\n', '')) ?? [];
  return JSON.parse(command ?? '[]') as readonly string[];
}

/** Where the hosts of the compose file are on this machine. */
export interface Places {
  readonly eventStoreDb: string;
  readonly brokers: string;
  readonly mongoDb: string;
}

/**
 * The environment of a service as Docker would give it: the image's, the file's with its variables replaced by
 * `given` or their defaults, and its hosts by `places`.
 */
export function environmentOf(
  service: string,
  places: Places,
  given: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const { environment = {} } = readCompose().services[service] ?? {};
  const said = Object.entries({ ...imageEnvironment(), ...environment }).map(([name, value]) => {
    const replaced = value.replace(
      /\$\{(\w+):-([^}]*)\}/g,
      (_, variable: string, other: string) => given[variable] ?? other,
    );
    return [name, placed(replaced, places)];
  });
  return Object.fromEntries(said);
}

function placed(value: string, { eventStoreDb, brokers, mongoDb }: Places): string {
  if (value === 'esdb://eventstoredb:2113?tls=false') return eventStoreDb;
  if (value === 'kafka:9092') return brokers;
  // A server that is not MongoDB is no replica set.
  if (value === 'mongodb://mongodb:27017/?replicaSet=rs0') return mongoDb;
  return value === '0.0.0.0' ? '127.0.0.1' : value;
}
