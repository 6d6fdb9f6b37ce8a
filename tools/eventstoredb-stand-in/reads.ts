import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { status } from '@grpc/grpc-js';
import type { Room } from './appends.js';
import { type Filter, filterOf } from './filter.js';
import * as refusals from './refusals.js';
import { firstVisible, isThere, type Recorded, type Store, type Stream } from './store.js';
import { drained, FollowAll, FollowStream, type ReadCall, type Subscription } from './subscriptions.js';
import { nameOf, notFoundWire, recordedOf, resolvedWire } from './wire.js';

/* Reads, which come to an end, and where subscriptions begin. */

export function read(room: Room, call: ReadCall, subscriptions: Set<Subscription>): void {
  const options = call.request.getOptions();
  const { faults } = room;
  if (!options) return void call.emit('error', refusals.badRequest());
  void faults.pace().then(() => {
    const wantsLeader = call.metadata.get('requires-leader')[0] === 'true';
    if (faults.notReady) call.emit('error', refusals.notReady());
    else if (faults.notLeader && wantsLeader) call.emit('error', refusals.notLeader(room.port()));
    else if (options.hasSubscription()) subscribe(room.store, call, options, subscriptions);
    else if (options.hasStream()) readStream(room.store, call, options);
    else readAll(room.store, call, options);
  });
}

const isBackwards = (options: streamsPb.ReadReq.Options) =>
  options.getReadDirection() === streamsPb.ReadReq.Options.ReadDirection.BACKWARDS;

function readStream(store: Store, call: ReadCall, options: streamsPb.ReadReq.Options): void {
  const from = options.getStream() as streamsPb.ReadReq.Options.StreamOptions;
  const name = nameOf(from.getStreamIdentifier());
  const stream = store.find(name);
  const count = Number(options.getCount());
  const backwards = isBackwards(options);
  if ((from.hasEnd() && !backwards) || count === 0)
    return void call.emit('error', refusals.refusal(status.UNKNOWN, 'Unexpected ReadStreamResult: Error'));
  if (stream?.tombstone) return void call.emit('error', refusals.streamDeleted(name));
  if (!isThere(stream)) {
    call.write(notFoundWire(name));
    return void call.end();
  }
  const named = from.hasEnd() ? Number.POSITIVE_INFINITY : from.hasStart() ? 0 : Number(from.getRevision());
  void send(store, call, options.getResolveLinks(), streamEvents(stream, named, count, backwards));
}

function* streamEvents(stream: Stream, from: number, count: number, backwards: boolean): Iterable<Recorded> {
  const [first, last] = [firstVisible(stream), stream.durable - 1];
  const step = backwards ? -1 : 1;
  let at = backwards ? Math.min(from, last) : Math.max(from, first);
  for (let given = 0; given < count && at >= first && at <= last; given++, at += step) {
    yield stream.events[at] as Recorded;
  }
}

function readAll(store: Store, call: ReadCall, options: streamsPb.ReadReq.Options): void {
  const from = options.getAll() as streamsPb.ReadReq.Options.AllOptions;
  const count = Number(options.getCount());
  // The real server looks for no events for ever; this one at least leaves its core alone.
  if (count === 0) return;
  const start = startInAll(store, from);
  if (start === 'prepare-ahead') return void call.emit('error', refusals.badRequest());
  if (start === 'no-event')
    return void call.emit('error', refusals.refusal(status.UNKNOWN, 'Unexpected ReadAllResult: Error'));
  const filter = options.hasFilter() ? filterOf(options.getFilter()) : undefined;
  if (filter === 'bad') return void call.emit('error', refusals.badRequest());
  const events = allEvents(store, start.index, count, isBackwards(options), filter);
  void send(store, call, options.getResolveLinks(), events);
}

function* allEvents(store: Store, from: number, count: number, backwards: boolean, filter: Filter | undefined) {
  const { all } = store;
  const end = all.length;
  const step = backwards ? -1 : 1;
  let given = 0;
  for (let at = backwards ? from - 1 : from; given < count && at >= 0 && at < end; at += step) {
    const event = all[at] as Recorded;
    if (filter && !filter.matches(event)) continue;
    given += 1;
    yield event;
  }
}

/** The index of the first event at or after a position. */
function startInAll(
  store: Store,
  from: streamsPb.ReadReq.Options.AllOptions,
): { readonly index: number; readonly exact: boolean } | 'no-event' | 'prepare-ahead' {
  const { all } = store;
  const position = from.getPosition();
  if (from.hasEnd()) return { index: all.length, exact: false };
  if (!position) return { index: 0, exact: false };
  const [commit, prepare] = [Number(position.getCommitPosition()), Number(position.getPreparePosition())];
  if (prepare > commit) return 'prepare-ahead';
  const index = indexAt(all, commit);
  const found = all[index];
  if (found && found.position !== commit) return 'no-event';
  return { index, exact: found !== undefined && prepare === commit };
}

function indexAt(all: readonly Recorded[], position: number): number {
  let [low, high] = [0, all.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((all[middle] as Recorded).position < position) low = middle + 1;
    else high = middle;
  }
  return low;
}

async function send(store: Store, call: ReadCall, resolveLinks: boolean, events: Iterable<Recorded>): Promise<void> {
  for (const event of events) {
    if (call.cancelled || call.destroyed) return;
    if (!call.write(wireOf(store, event, resolveLinks))) await drained(call);
  }
  call.end();
}

function wireOf(store: Store, event: Recorded, resolveLinks: boolean): Buffer {
  if (!resolveLinks || event.type !== '$>') return event.wire;
  const link = recordedOf(event.wire);
  const [, revision, name] = /^(\d+)@(.*)$/s.exec(Buffer.from(link.getData_asU8()).toString('utf8')) ?? [];
  const stream = store.find(name ?? '');
  const target = isThere(stream) ? stream.events[Number(revision)] : undefined;
  return resolvedWire(target && recordedOf(target.wire), link, event.position);
}

function subscribe(
  store: Store,
  call: ReadCall,
  options: streamsPb.ReadReq.Options,
  subscriptions: Set<Subscription>,
): void {
  const follow = options.hasStream() ? followStream(store, options) : followAll(store, options);
  if ('code' in follow) return void call.emit('error', follow);
  subscriptions.add(follow);
  const over = () => {
    subscriptions.delete(follow);
    follow.stop();
  };
  for (const signal of ['cancelled', 'close', 'error']) call.on(signal, over);
  follow.start(call);
}

function followStream(store: Store, options: streamsPb.ReadReq.Options) {
  const from = options.getStream() as streamsPb.ReadReq.Options.StreamOptions;
  const name = nameOf(from.getStreamIdentifier());
  const stream = store.find(name);
  if (stream?.tombstone) return refusals.streamDeleted(name);
  const end = stream?.durable ?? 0;
  const next = from.hasStart() ? 0 : from.hasEnd() ? end : Number(from.getRevision()) + 1;
  return new FollowStream(store, name, next);
}

function followAll(store: Store, options: streamsPb.ReadReq.Options) {
  const start = startInAll(store, options.getAll() as streamsPb.ReadReq.Options.AllOptions);
  const filter = options.hasFilter() ? filterOf(options.getFilter()) : undefined;
  if (typeof start === 'string' || filter === 'bad') return refusals.badRequest();
  return new FollowAll(store, start.index + (start.exact ? 1 : 0), filter);
}
