import { APPEND_ERRORS, actualRevision, classifyAppend, classifyRead } from './classify.js';

/** The library's error of a shape: its class does not matter, and most come without a text. */
const shaped = (shape: { type?: string; code?: number; message?: string; [member: string]: unknown }): Error =>
  Object.assign(new Error(shape.message ?? ''), shape);

describe('every row of the table', () => {
  it.each(APPEND_ERRORS)('$type $code $says is $verdict, $fault', ({ type, code, says, verdict, fault, text }) => {
    const error = shaped({
      ...(type === undefined || type === 'none' ? {} : { type }),
      ...(typeof code === 'number' ? { code } : {}),
      message: says === undefined ? '' : `Could not recognize ${says}`,
    });
    expect(classifyAppend(error)).toMatchObject({ verdict, fault, text });
  });
});

// Class, code and text as a real server and both clients were seen to give them.
describe('an append that ended with', () => {
  it.each([
    ['a wrong revision on the shared stream', { type: 'wrong-expected-version', actualVersion: 2n }, 'conflict'],
    ['a wrong revision on a call of its own', { type: 'wrong-expected-version', code: 9 }, 'conflict'],
    ['a deleted stream', { type: 'stream-deleted' }, 'refused'],
    ['too large an append', { type: 'maximum-append-size-exceeded', code: 3 }, 'refused'],
    ['the deadline of the server, a twin in flight', { type: 'deadline-exceeded', message: '' }, 'unknown'],
    ['the deadline of the client', { type: 'deadline-exceeded', code: 4, message: '4 DEADLINE_EXCEEDED' }, 'unknown'],
    ['a commit that timed out', { type: 'timeout', code: 10, message: 'Commit phase timeout' }, 'unknown'],
    ['a lost connection', { type: 'unavailable', code: 14 }, 'unknown'],
    ['a reset connection', { type: 'unknown', code: 13, message: 'RST_STREAM' }, 'unknown'],
    ['a message that is too large', { type: 'unknown', code: 8 }, 'unknown'],
    ['a disposed client', { type: 'unknown', code: 1, message: 'Cancelled on client' }, 'unknown'],
    ['nobody at the address', { code: 14, message: '14 UNAVAILABLE: No connection established' }, 'unavailable'],
    ['a server that starts', { type: 'unknown', message: 'Could not recognize Server Is Not Ready' }, 'unavailable'],
    ['a bad event', { type: 'unknown', message: 'Could not recognize BadRequest' }, 'refused'],
    ['a follower', { type: 'not-leader', code: 5 }, 'unavailable'],
    ['a wrong password', { type: 'access-denied', code: 16 }, 'refused'],
    ['a timer of ours', { name: 'NotAnswered', message: 'no answer' }, 'unknown'],
    ['something new', { type: 'unknown', code: 2, message: 'Exception was thrown by handler.' }, 'unknown'],
    ['something that is no error of the client', { message: 'write after end' }, 'unknown'],
  ])('%s', (_, shape, verdict) => {
    expect(classifyAppend(shaped(shape)).verdict).toBe(verdict);
  });

  it.each([undefined, null, 'text'])('%s, thrown, is unknown', (thrown) => {
    expect(classifyAppend(thrown).verdict).toBe('unknown');
  });
});

it('tells a missing server, a missing leader and a wrong password apart', () => {
  expect(classifyAppend(shaped({ code: 14 })).fault).toBe('UNREACHABLE');
  expect(classifyAppend(shaped({ type: 'not-leader', code: 5 })).fault).toBe('NO_LEADER');
  expect(classifyAppend(shaped({ type: 'access-denied', code: 7 })).fault).toBe('UNAUTHORIZED');
});

it.each([
  [{ type: 'stream-not-found' }, 'missing'],
  [{ type: 'stream-deleted', code: 9 }, 'refused'],
  [{ type: 'access-denied', code: 7 }, 'refused'],
  [{ type: 'not-leader', code: 5 }, 'again'],
  [{ type: 'unavailable', code: 14 }, 'again'],
  [{ type: 'timeout', code: 10, message: 'Consumer too slow' }, 'again'],
  [{ type: 'unknown', code: 10, message: 'Consumer too slow' }, 'again'],
  [{ type: 'unknown', code: 13 }, 'again'],
])('a read that ended with %j is %s', (shape, verdict) => {
  expect(classifyRead(shaped(shape)).verdict).toBe(verdict);
});

it.each([
  [{ actualVersion: 2n }, 2],
  [{ actualVersion: 'no_stream' }, -1],
  [{ actualState: 7n }, 7],
  [{ actualState: 'no_stream' }, -1],
  [{}, undefined],
])('the revision of a conflict, as either library tells it: %o', (error, revision) => {
  expect(actualRevision(error)).toBe(revision);
});
