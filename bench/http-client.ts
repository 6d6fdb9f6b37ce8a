import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { invariant } from '../libs/kernel/result.js';

const HEAD_END = '\r\n\r\n';

/**
 * A keep-alive connection that sends one request at a time and looks at the status alone. The client shares the
 * machine with the server that it measures, so it does as little as HTTP/1.1 allows: the fetch of Node spends more on
 * a request than the server on its answer.
 */
export class Connection {
  #text = '';
  #answered: ((status: number) => void) | null = null;
  #failed: ((error: Error) => void) | null = null;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (piece: string) => this.#take(piece));
    socket.on('error', (error) => this.#failed?.(error));
    socket.on('close', () => this.#failed?.(new Error('the server closed the connection')));
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new Connection(socket);
  }

  /** Posts JSON and resolves with the status when the whole answer is there. */
  post(path: string, headers: string, body: string): Promise<number> {
    return new Promise((resolve, reject) => {
      [this.#answered, this.#failed] = [resolve, reject];
      this.socket.write(
        `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n${headers}` +
          `content-length: ${Buffer.byteLength(body)}${HEAD_END}${body}`,
      );
    });
  }

  close(): void {
    this.#failed = null;
    this.socket.destroy();
  }

  #take(piece: string): void {
    this.#text += piece;
    const head = this.#text.indexOf(HEAD_END);
    if (head < 0) return;
    const length = /\r\ncontent-length: (\d+)/i.exec(this.#text)?.[1];
    invariant(length !== undefined, 'an answer says how long it is');
    if (this.#text.length < head + HEAD_END.length + Number(length)) return;
    const status = Number(this.#text.slice(9, 12));
    this.#text = '';
    const answered = this.#answered;
    this.#answered = null;
    answered?.(status);
  }
}
