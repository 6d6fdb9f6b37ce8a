import { connect, createServer, type Socket } from 'node:net';

/** Stands between a client and a server, so that what is under way between them can be cut. */
export interface TcpProxy {
  readonly port: number;
  /** Cuts every connection, whatever is on its way. New ones are taken. */
  cut(): void;
  /** Takes no connection until `resume`. */
  refuse(): void;
  resume(): void;
  close(): Promise<void>;
}

export async function startProxy(host: string, port: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isOpen = true;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((client) => {
    if (!isOpen) return void client.destroy();
    const upstream = connect(port, host);
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.setNoDelay(true);
      one.pipe(other);
      // What the two ends make of it is their affair: here an end of one is an end of both.
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    cut,
    refuse: () => {
      isOpen = false;
      cut();
    },
    resume: () => {
      isOpen = true;
    },
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
