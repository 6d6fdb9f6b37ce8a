import { Metadata, type ServiceError, status } from '@grpc/grpc-js';

/* What the server answers when it refuses, as a status with trailers. */

export const APPEND_BYTES_MAX = 1_048_576;

export function refusal(code: status, details: string, trailers: Readonly<Record<string, string>> = {}): ServiceError {
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(trailers)) metadata.set(name, value);
  return Object.assign(new Error(details), { code, details, metadata });
}

export const badRequest = () => refusal(status.UNKNOWN, 'Exception was thrown by handler.');
export const unavailable = () => refusal(status.UNAVAILABLE, 'Connection reset');
export const notReady = () => refusal(status.UNAVAILABLE, 'Server Is Not Ready');
export const commitTimeout = () => refusal(status.ABORTED, 'Operation timed out: Commit phase timeout');
export const tooSlow = () =>
  refusal(
    status.ABORTED,
    'Operation timed out: Consumer too slow to handle event while live. Client resubscription required.',
  );
export const messageTooLarge = () =>
  refusal(status.RESOURCE_EXHAUSTED, 'Received message exceeds the maximum configured message size.');

export const appendTooLarge = () =>
  refusal(status.INVALID_ARGUMENT, `Maximum Append Size of ${APPEND_BYTES_MAX} Exceeded.`, {
    exception: 'maximum-append-size-exceeded',
    'maximum-append-size': String(APPEND_BYTES_MAX),
  });

export const streamDeleted = (stream: string) =>
  refusal(status.FAILED_PRECONDITION, `Event stream '${stream}' is deleted.`, {
    exception: 'stream-deleted',
    'stream-name': headerText(stream),
  });

export const deleteRefused = (stream: string, expected: number, actual: number) =>
  refusal(
    status.FAILED_PRECONDITION,
    `Delete failed due to WrongExpectedVersion. Stream: ${stream}, Expected version: ${expected}, Actual version: ${actual}`,
    {
      exception: 'wrong-expected-version',
      'stream-name': headerText(stream),
      'expected-version': String(expected),
      'actual-version': String(actual),
    },
  );

/** Another node leads; this stand-in knows of none, so it names itself. */
export const notLeader = (port: number) =>
  refusal(status.NOT_FOUND, 'Leader info available', {
    exception: 'not-leader',
    'leader-endpoint-host': '127.0.0.1',
    'leader-endpoint-port': String(port),
  });

/** Trailers hold ASCII only. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
