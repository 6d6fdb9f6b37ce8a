import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ISocketFactory } from 'kafkajs';

/** The requests of Kafka's protocol that tests meddle with, by their keys. */
const API = { produce: 0, fetch: 1, joinGroup: 11, initProducerId: 22, addPartitions: 24, endTransaction: 26 } as const;
export type Api = keyof typeof API;

/**
 * `written`: the broker did it, and its answer is lost. `not written`: the request never came there. Both cut the
 * connection. `late`: it comes there when the test says.
 */
export type Fate = 'written' | 'not written' | 'late';

/** Stands between a client and its brokers, and cuts the connection where a test says. */
export interface KafkaProxy {
  /** For the client: whatever broker it asks for, it comes here first. */
  readonly socketFactory: ISocketFactory;
  /** A request of that kind meets its fate; `after` so many of them. */
  cut(api: Api, fate: Fate, after?: number): void;
  /** How many cuts were not met yet. */
  pending(): number;
  /** What is late comes there now. */
  release(): void;
  /** Nothing comes through, and nothing is cut: as from a network that is gone. */
  hold(held: boolean): void;
  /** Ends every connection, as a broker does with those that nobody used. Resolves when the client has seen it. */
  drop(): Promise<void>;
  close(): Promise<void>;
}

interface Cut {
  readonly key: number;
  readonly fate: Fate;
  after: number;
}

export async function kafkaProxy(): Promise<KafkaProxy> {
  const cuts: Cut[] = [];
  const sockets = new Set<Socket>();
  const ofClients = new Set<Socket>();
  const state = { held: false };
  const late: (() => void)[] = [];

  function fateOf(key: number): Fate | undefined {
    const cut = cuts.find((one) => one.key === key && one.after-- === 0);
    if (cut !== undefined) cuts.splice(cuts.indexOf(cut), 1);
    return cut?.fate;
  }

  const server = createServer((client) => {
    sockets.add(client);
    client.on('error', () => client.destroy()).on('close', () => sockets.delete(client));
    client.once('data', (first: Buffer) => {
      const end = first.indexOf('\n');
      const [host, port] = first.subarray(0, end).toString().split(' ');
      const broker = connect({ host: host ?? '', port: Number(port), noDelay: true });
      join(client, broker, first.subarray(end + 1), { fateOf, late, held: () => state.held });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: own } = server.address() as AddressInfo;
  return {
    socketFactory({ host, port, onConnect }) {
      const socket = connect({ host: '127.0.0.1', port: own, noDelay: true });
      ofClients.add(socket.once('close', () => ofClients.delete(socket)));
      return socket.once('connect', () => {
        socket.write(`${host} ${port}\n`);
        onConnect();
      });
    },
    cut: (api, fate, after = 0) => void cuts.push({ key: API[api], fate, after }),
    pending: () => cuts.length,
    release() {
      for (const go of late.splice(0)) go();
    },
    hold(held) {
      state.held = held;
    },
    async drop() {
      const closed = [...ofClients].map((socket) => once(socket, 'close'));
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
    async close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

interface Faults {
  fateOf(key: number): Fate | undefined;
  readonly late: (() => void)[];
  held(): boolean;
}

function join(client: Socket, broker: Socket, first: Buffer, { fateOf, late, held }: Faults): void {
  let lost: number | undefined;
  const end = () => {
    client.destroy();
    broker.destroy();
  };
  client.on('close', end);
  broker.on('error', end).on('close', end);
  const request = framed((frame) => {
    if (held()) return;
    const fate = fateOf(frame.readInt16BE(4));
    if (fate === 'not written') return end();
    if (fate === 'late') return void late.push(() => broker.write(frame));
    if (fate === 'written') lost = frame.readInt32BE(8);
    broker.write(frame);
  });
  client.on('data', request);
  const answer = framed((frame) => {
    if (frame.readInt32BE(4) === lost) end();
    else if (!held()) client.write(frame);
  });
  broker.on('data', answer);
  if (first.length > 0) request(first);
}

/** Gives whole messages of the protocol: four bytes of length before each. */
function framed(take: (frame: Buffer) => void): (piece: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (piece) => {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    while (rest.length >= 4) {
      const end = 4 + rest.readInt32BE(0);
      if (rest.length < end) return;
      const frame = rest.subarray(0, end);
      rest = rest.subarray(end);
      take(frame);
    }
  };
}
