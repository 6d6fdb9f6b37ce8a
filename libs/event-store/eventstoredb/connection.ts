import { InvariantBroken } from '../../kernel/result.js';
import { type ClientKind, loadClient, type ServerClient } from './client.js';
import { createSender, type Sender } from './sender.js';

/** The one client of the process, for as long as a store uses it. */
export interface Lease {
  readonly client: ServerClient;
  /** The last to leave disposes of the client, when what it sent is answered or `patience` milliseconds are over. */
  release(patience: number): Promise<void>;
}

interface Shared {
  readonly connectionString: string;
  readonly client: Promise<ServerClient>;
  users: number;
}

/**
 * Appends in flight are kept by the library for all clients of the process together: disposing of one client, or a
 * broken connection of it, rejects the appends of every other, and the answers that still come to those end the process.
 * So there is one client a process and library, shared by the stores that are opened on it.
 */
const shared = new Map<ClientKind, Shared>();
/** Under way: who opens meanwhile waits for it. */
const disposals = new Map<ClientKind, Promise<void>>();

/** Takes part in the process's client of that library; makes it when there is none. `patience`: for an append's answer. */
export async function lease(kind: ClientKind, connectionString: string, patience: number): Promise<Lease> {
  await disposals.get(kind);
  const there = shared.get(kind);
  if (there !== undefined && there.connectionString !== connectionString) {
    throw new InvariantBroken('a process writes to one EventStoreDB: its client is in use for another address');
  }
  const entry = there ?? { connectionString, client: ordered(kind, connectionString, patience), users: 0 };
  shared.set(kind, entry);
  entry.users++;
  try {
    return leaseOf(kind, entry, await entry.client);
  } catch (error) {
    if (--entry.users === 0) shared.delete(kind);
    throw error;
  }
}

function leaseOf(kind: ClientKind, entry: Shared, client: ServerClient): Lease {
  let released: Promise<void> | undefined;
  const leave = async (patience: number): Promise<void> => {
    if (--entry.users > 0) return;
    shared.delete(kind);
    const disposed = disposeOf(client, patience).finally(() => disposals.delete(kind));
    disposals.set(kind, disposed);
    await disposed;
  };
  return {
    client,
    release(patience) {
      released ??= leave(patience);
      return released;
    },
  };
}

const senders = new WeakMap<ServerClient, Sender>();

/** The client, with its appends in order and known until the library itself is done with them: our timers end earlier. */
async function ordered(kind: ClientKind, connectionString: string, patience: number): Promise<ServerClient> {
  const client = await loadClient(kind, connectionString);
  const sender = createSender(client, patience);
  const sending: ServerClient = { ...client, append: sender.append };
  senders.set(sending, sender);
  return sending;
}

async function disposeOf(client: ServerClient, patience: number): Promise<void> {
  await atMost(patience, senders.get(client)?.settled());
  // Everything is cancelled at once; what then never says that it is over is not waited for.
  await atMost(patience, client.dispose());
}

async function atMost(ms: number, work: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
