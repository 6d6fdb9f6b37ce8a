import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Fault } from '../../../../tools/eventstoredb-stand-in/faults.js';
import type { ClientKind } from '../client.js';

/** A stand-in for EventStoreDB that a spec has for itself. */
export interface TestServer {
  readonly url: string;
  /** Settles when the fault is there. */
  fault(fault: Fault, amount?: number): Promise<void>;
  /** Stops and starts the whole process, its connections kept open, where it is one. */
  freeze(frozen: boolean): void;
  close(): Promise<void>;
}

const MAIN = 'dist/tools/eventstoredb-stand-in/main.js';

/**
 * In this process for the one library, and in one of its own for the other: both keep the messages of the protocol under
 * the same global names, so that a process that loads both breaks the one it loaded first.
 */
export async function standInFor(client: ClientKind): Promise<TestServer> {
  if (client === 'kurrent') return hastened(await standInProcess());
  const { startStandIn } = await import('../../../../tools/eventstoredb-stand-in/server.js');
  const { url, fault, close } = await startStandIn();
  return {
    url,
    fault: async (name, amount) => fault(name, amount),
    freeze: () => {
      throw new Error('a stand-in of this process cannot be frozen');
    },
    close,
  };
}

/** The library of KurrentDB waits half a second before it looks for a server that a connection string names. */
const hastened = (server: TestServer): TestServer => ({ ...server, url: `${server.url}&discoveryInterval=10` });

/** One that can be frozen. `npm test` builds it first; on its own this needs `npm run build`. */
export async function standInProcess(): Promise<TestServer> {
  const child = spawn(process.execPath, [MAIN], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [url] = (await once(lines, 'line')) as [string];
  return {
    url,
    async fault(fault, amount = 1) {
      const set = once(lines, 'line');
      child.stdin.write(`${fault} ${amount}\n`);
      await set;
    },
    freeze: (frozen) => child.kill(frozen ? 'SIGSTOP' : 'SIGCONT'),
    async close() {
      const exit = once(child, 'exit');
      child.kill('SIGKILL');
      await exit;
    },
  };
}
