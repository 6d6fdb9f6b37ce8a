import { MongoNetworkError, MongoServerError, MongoServerSelectionError, MongoWriteConcernError } from 'mongodb';
import { InvariantBroken } from '../../kernel/result.js';
import { named } from './errors.js';
import { openMongoReadStore } from './store.js';

const ofCode = (code: number): MongoServerError => new MongoServerError({ message: 'told by the server', code });

const CASES: readonly (readonly [string, Error, string])[] = [
  ['a connection that was cut', new MongoNetworkError('connection closed'), 'UNREACHABLE'],
  ['no server', new MongoServerSelectionError('timed out', {} as never), 'UNREACHABLE'],
  [
    'a majority that did not answer',
    new MongoWriteConcernError({ ok: 1, writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' } }),
    'UNREACHABLE',
  ],
  ['a primary that stepped down', ofCode(189), 'UNREACHABLE'],
  ['no primary', ofCode(10107), 'UNREACHABLE'],
  ['a server that shuts down', ofCode(91), 'UNREACHABLE'],
  ['a fault inside the server', ofCode(1), 'UNREACHABLE'],
  ['a wrong password', ofCode(18), 'UNAUTHORIZED'],
  ['a user who may not', ofCode(13), 'UNAUTHORIZED'],
  [
    'a wrong password, told by the handshake',
    new MongoServerSelectionError('Authentication failed.', {} as never),
    'UNAUTHORIZED',
  ],
  ['a full disk', ofCode(14031), 'DISK_FULL'],
];

test.each(CASES)('%s has its name', (_what, error, code) => {
  const told = named(error, 'db/socai');
  expect(told).toMatchObject({ name: 'ReadStoreUnavailable', code, cause: error });
  expect((told as Error).message).toContain('db/socai');
});

test('what says that we made a mistake stays what it is', () => {
  const mistakes = [ofCode(9), new InvariantBroken('ours'), new TypeError('ours')];
  expect(mistakes.map((it) => named(it, 'db/socai'))).toEqual(mistakes);
});

test('a server that is not there is named within the time that it is looked for', async () => {
  const opening = openMongoReadStore({ url: 'mongodb://127.0.0.1:9/', database: 'socai', selectionMs: 200 });
  await expect(opening).rejects.toMatchObject({ name: 'ReadStoreUnavailable', code: 'UNREACHABLE' });
  await expect(opening).rejects.toThrow('127.0.0.1:9/socai');
});
