import { connect } from 'node:net';

const ANSWER_MS_MAX = 2_000;

/** The first bytes that a server on this machine answers to a request; none where it does not. */
export async function ask(port: number, request: Buffer): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(request));
    const end = (answer: Buffer = Buffer.alloc(0)) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(ANSWER_MS_MAX, () => end());
    socket.once('data', end);
    socket.once('error', () => end());
    socket.once('close', () => end());
  });
}
