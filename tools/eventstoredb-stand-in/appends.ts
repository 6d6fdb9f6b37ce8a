import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import type statusPb from '@eventstore/db-client/generated/status_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import type { ServerDuplexStream, ServerReadableStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import emptyPb from 'google-protobuf/google/protobuf/empty_pb.js';
import type { AppendFault, Faults } from './faults.js';
import * as refusals from './refusals.js';
import { ANY, NO_STREAM, type Outcome, STREAM_EXISTS, type Store } from './store.js';
import { identifier, nameOf, type Proposed, proposed, status } from './wire.js';

/* Appends on the shared stream, appends as calls of their own, deletes. */

export const TOO_LARGE = Symbol('a message of more than 16 MiB');

/** How long the server waits for an append before it gives it up. */
const COMMIT_MS = 2_000;

export interface Room {
  readonly store: Store;
  readonly faults: Faults;
  readonly port: () => number;
  cutConnections(): void;
}

interface Pending {
  readonly correlation: sharedPb.UUID;
  readonly stream: string;
  readonly options: streamsPb.BatchAppendReq.Options;
  readonly events: Proposed[];
  bytes: number;
}

type Shared = ServerDuplexStream<streamsPb.BatchAppendReq | typeof TOO_LARGE, streamsPb.BatchAppendResp>;

export function batchAppend(room: Room, call: Shared): void {
  const pending = new Map<string, Pending>();
  const take = (request: streamsPb.BatchAppendReq) => {
    const correlation = request.getCorrelationId() as sharedPb.UUID;
    const key = correlation.getString() || JSON.stringify(correlation.toObject());
    const options = request.getOptions();
    if (options) {
      const stream = nameOf(options.getStreamIdentifier());
      pending.set(key, { correlation, stream, options, events: [], bytes: 0 });
    }
    const append = pending.get(key);
    // Refused already: what still comes of it is not looked at.
    if (!append) return;
    const refused = gather(append, request);
    if (refused) {
      pending.delete(key);
      answer(call, append, (response) => response.setError(refused.status));
      if (refused.again) setTimeout(() => answer(call, append, (response) => response.setError(TIMEOUT)), COMMIT_MS);
    } else if (request.getIsFinal()) {
      pending.delete(key);
      settle(room, call, append);
    }
  };
  let before = Promise.resolve();
  call.on('data', (request: streamsPb.BatchAppendReq | typeof TOO_LARGE) => {
    if (request === TOO_LARGE) call.emit('error', refusals.messageTooLarge());
    else if (room.faults.slowMs === 0) take(request);
    else before = before.then(() => room.faults.pace()).then(() => take(request));
  });
  call.on('end', () => call.end());
}

const BAD_REQUEST = status('BadRequest', 'event_store.client.BadRequest');
const TIMEOUT = status('Timeout', 'event_store.client.Timeout');
const NOT_READY = status('Server Is Not Ready', 'google.protobuf.Empty');
const NOT_LEADER = status('Leader info available', 'event_store.client.NotLeader');

/** Adds the events of one message; says why the append is refused, and whether the server will answer it again. */
function gather(append: Pending, request: streamsPb.BatchAppendReq) {
  if (append.stream === '') return { status: BAD_REQUEST, again: false };
  for (const message of request.getProposedMessagesList()) {
    const event = proposed(message);
    if (!event) return { status: BAD_REQUEST, again: true };
    append.events.push(event);
    append.bytes += event.data.length;
  }
  if (append.bytes <= refusals.APPEND_BYTES_MAX) return undefined;
  const details = new sharedPb.MaximumAppendSizeExceeded();
  details.setMaxappendsize(refusals.APPEND_BYTES_MAX);
  const type = 'event_store.client.MaximumAppendSizeExceeded';
  return { status: status('MaxAppendSizeExceeded', type, details.serializeBinary()), again: false };
}

function settle(room: Room, call: Shared, append: Pending): void {
  const { store, faults } = room;
  const refuse = (reason: statusPb.Status) => answer(call, append, (response) => response.setError(reason));
  if (faults.notReady) return void refuse(NOT_READY);
  if (faults.notLeader) return void refuse(NOT_LEADER);
  const fault = faults.takeAppend();
  const late = () => setTimeout(() => refuse(TIMEOUT), COMMIT_MS);
  if (isUnwritten(fault)) return void unwritten(room, fault, late);
  const deadline = append.options.getDeadline()?.toDate().getTime() ?? Number.POSITIVE_INFINITY;
  if (deadline <= Date.now()) return void refuse(TIMEOUT);
  const { stream, events } = append;
  const outcome = store.append(stream, expectedOfBatch(append.options), events);
  const sayWritten = (last: number, position?: number) =>
    answer(call, append, (response) => response.setSuccess(batchSuccess(last, position)));
  switch (outcome.is) {
    case 'written':
      return void outcome.durable.then(() =>
        written(room, fault, () => sayWritten(outcome.last, outcome.position), late),
      );
    case 'known':
      return void written(room, fault, () => sayWritten(outcome.last, outcome.position), late);
    case 'in-flight':
      return void setTimeout(() => refuse(TIMEOUT), Math.min(COMMIT_MS, deadline - Date.now()));
    case 'unanswerable':
      return;
    case 'wrong':
      return void refuse(wrongRevision(append.options, outcome.current));
    case 'deleted': {
      const details = new sharedPb.StreamDeleted();
      details.setStreamIdentifier(identifier(stream));
      return void refuse(status('StreamDeleted', 'event_store.client.StreamDeleted', details.serializeBinary()));
    }
  }
}

type Unwritten = 'append-dropped' | 'append-timed-out' | 'append-cut';

function isUnwritten(fault: AppendFault | undefined): fault is Unwritten {
  return fault === 'append-dropped' || fault === 'append-timed-out' || fault === 'append-cut';
}

function unwritten(room: Room, fault: Unwritten, late: () => void): void {
  if (fault === 'append-cut') room.cutConnections();
  if (fault === 'append-timed-out') late();
}

/** What the client hears of an append that is on the disk. */
function written(room: Room, fault: AppendFault | undefined, say: () => void, late: () => void): void {
  if (fault === undefined) say();
  else if (fault === 'append-written-timed-out') late();
  else if (fault === 'append-written-cut') room.cutConnections();
}

function answer(call: Shared, append: Pending, fill: (response: streamsPb.BatchAppendResp) => void): void {
  if (call.cancelled || call.destroyed || call.writableEnded) return;
  const response = new streamsPb.BatchAppendResp();
  response.setCorrelationId(append.correlation);
  response.setStreamIdentifier(append.options.getStreamIdentifier());
  fill(response);
  call.write(response);
}

function batchSuccess(last: number, at: number | undefined): streamsPb.BatchAppendResp.Success {
  const success = new streamsPb.BatchAppendResp.Success();
  if (last < 0) success.setNoStream(new emptyPb.Empty());
  else success.setCurrentRevision(String(last));
  if (at === undefined) success.setNoPosition(new emptyPb.Empty());
  else success.setPosition(fillPosition(new sharedPb.AllStreamPosition(), at));
  return success;
}

function fillPosition<T extends { setCommitPosition(at: string): unknown; setPreparePosition(at: string): unknown }>(
  position: T,
  at: number,
): T {
  position.setCommitPosition(String(at));
  position.setPreparePosition(String(at));
  return position;
}

function expectedOfBatch(options: streamsPb.BatchAppendReq.Options): number {
  if (options.hasNoStream()) return NO_STREAM;
  if (options.hasAny()) return ANY;
  if (options.hasStreamExists()) return STREAM_EXISTS;
  return Number(options.getStreamPosition());
}

function wrongRevision(options: streamsPb.BatchAppendReq.Options, current: number): statusPb.Status {
  const wrong = new sharedPb.WrongExpectedVersion();
  if (current < 0) wrong.setCurrentNoStream(new emptyPb.Empty());
  else wrong.setCurrentStreamRevision(String(current));
  if (options.hasNoStream()) wrong.setExpectedNoStream(new emptyPb.Empty());
  else if (options.hasAny()) wrong.setExpectedAny(new emptyPb.Empty());
  else if (options.hasStreamExists()) wrong.setExpectedStreamExists(new emptyPb.Empty());
  else wrong.setExpectedStreamPosition(options.getStreamPosition());
  return status('WrongExpectedVersion', 'event_store.client.WrongExpectedVersion', wrong.serializeBinary());
}

type Own = ServerReadableStream<streamsPb.AppendReq | typeof TOO_LARGE, streamsPb.AppendResp>;

/** An append as a call of its own. */
export function append(room: Room, call: Own, done: sendUnaryData<streamsPb.AppendResp>): void {
  let options: streamsPb.AppendReq.Options | undefined;
  const events: Proposed[] = [];
  let refused: ReturnType<typeof refusals.refusal> | undefined;
  call.on('data', (request: streamsPb.AppendReq | typeof TOO_LARGE) => {
    if (request === TOO_LARGE) {
      refused ??= refusals.messageTooLarge();
      return;
    }
    options ??= request.getOptions();
    const message = request.getProposedMessage();
    if (!message) return;
    const event = proposed(message);
    if (event) events.push(event);
    else refused ??= refusals.badRequest();
  });
  call.on('end', () => {
    const bytes = events.reduce((sum, { data }) => sum + data.length, 0);
    if (!refused && (!options || nameOf(options.getStreamIdentifier()) === '')) refused = refusals.badRequest();
    if (!refused && bytes > refusals.APPEND_BYTES_MAX) refused = refusals.appendTooLarge();
    if (refused || !options) return done(refused ?? refusals.badRequest());
    const complete = options;
    void room.faults.pace().then(() => settleOwn(room, complete, events, done));
  });
}

function settleOwn(
  room: Room,
  options: streamsPb.AppendReq.Options,
  events: readonly Proposed[],
  done: sendUnaryData<streamsPb.AppendResp>,
): void {
  const { store, faults } = room;
  if (faults.notReady) return void done(refusals.notReady());
  if (faults.notLeader) return void done(refusals.notLeader(room.port()));
  const fault = faults.takeAppend();
  const late = () => setTimeout(() => done(refusals.commitTimeout()), COMMIT_MS);
  if (isUnwritten(fault)) return void unwritten(room, fault, late);
  const stream = nameOf(options.getStreamIdentifier());
  const outcome = store.append(stream, expectedOf(options), events);
  const say = (last: number, position?: number) => done(null, ownSuccess(last, position));
  if (outcome.is === 'written')
    void outcome.durable.then(() => written(room, fault, () => say(outcome.last, outcome.position), late));
  else if (outcome.is === 'known') written(room, fault, () => say(outcome.last, outcome.position), late);
  else if (outcome.is === 'in-flight') late();
  else if (outcome.is === 'deleted') done(refusals.streamDeleted(stream));
  else if (outcome.is === 'wrong') done(null, ownWrong(options, outcome.current));
}

function ownSuccess(last: number, at: number | undefined): streamsPb.AppendResp {
  const success = new streamsPb.AppendResp.Success();
  if (last < 0) success.setNoStream(new sharedPb.Empty());
  else success.setCurrentRevision(String(last));
  if (at === undefined) success.setNoPosition(new sharedPb.Empty());
  else success.setPosition(fillPosition(new streamsPb.AppendResp.Position(), at));
  const response = new streamsPb.AppendResp();
  response.setSuccess(success);
  return response;
}

function ownWrong(options: streamsPb.AppendReq.Options, current: number): streamsPb.AppendResp {
  const wrong = new streamsPb.AppendResp.WrongExpectedVersion();
  if (current < 0) wrong.setCurrentNoStream(new sharedPb.Empty());
  else wrong.setCurrentRevision(String(current));
  if (options.hasNoStream()) wrong.setExpectedNoStream(new sharedPb.Empty());
  else if (options.hasAny()) wrong.setExpectedAny(new sharedPb.Empty());
  else if (options.hasStreamExists()) wrong.setExpectedStreamExists(new sharedPb.Empty());
  else wrong.setExpectedRevision(options.getRevision());
  const response = new streamsPb.AppendResp();
  response.setWrongExpectedVersion(wrong);
  return response;
}

interface ExpectedOptions {
  hasNoStream(): boolean;
  hasAny(): boolean;
  hasStreamExists(): boolean;
  getRevision(): string;
}

function expectedOf(options: ExpectedOptions): number {
  if (options.hasNoStream()) return NO_STREAM;
  if (options.hasAny()) return ANY;
  return options.hasStreamExists() ? STREAM_EXISTS : Number(options.getRevision());
}

export function remove(
  room: Room,
  call: ServerUnaryCall<streamsPb.DeleteReq, streamsPb.DeleteResp>,
  done: sendUnaryData<streamsPb.DeleteResp>,
): void {
  const response = new streamsPb.DeleteResp();
  end(room, call.request.getOptions(), false, (error, at = 0) => {
    response.setPosition(fillPosition(new streamsPb.DeleteResp.Position(), at));
    done(error, response);
  });
}

export function tombstone(
  room: Room,
  call: ServerUnaryCall<streamsPb.TombstoneReq, streamsPb.TombstoneResp>,
  done: sendUnaryData<streamsPb.TombstoneResp>,
): void {
  const response = new streamsPb.TombstoneResp();
  end(room, call.request.getOptions(), true, (error, at = 0) => {
    response.setPosition(fillPosition(new streamsPb.TombstoneResp.Position(), at));
    done(error, response);
  });
}

type Ended = (error: ReturnType<typeof refusals.refusal> | null, position?: number) => void;

function end(
  { store }: Room,
  options: (ExpectedOptions & { getStreamIdentifier(): sharedPb.StreamIdentifier | undefined }) | undefined,
  forEver: boolean,
  done: Ended,
): void {
  if (!options) return void done(refusals.badRequest());
  const stream = nameOf(options.getStreamIdentifier());
  const expected = expectedOf(options);
  const outcome: Outcome = store.delete(stream, expected, forEver);
  if (outcome.is === 'written') void outcome.durable.then(() => done(null, outcome.position));
  else if (outcome.is === 'deleted') done(refusals.streamDeleted(stream));
  else done(refusals.deleteRefused(stream, expected, outcome.is === 'wrong' ? outcome.current : NO_STREAM));
}
