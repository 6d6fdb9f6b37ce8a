import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import gossipGrpc from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossipPb from '@eventstore/db-client/generated/gossip_pb.js';
import featuresGrpc from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import featuresPb from '@eventstore/db-client/generated/serverfeatures_pb.js';
import streamsGrpc from '@eventstore/db-client/generated/streams_grpc_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { append, batchAppend, type Room, remove, TOO_LARGE, tombstone } from './appends.js';
import { type Fault, Faults } from './faults.js';
import { read } from './reads.js';
import * as refusals from './refusals.js';
import { Store } from './store.js';
import type { ReadCall, Subscription } from './subscriptions.js';
import { uuid } from './wire.js';

const MESSAGE_BYTES_MAX = 16 * 1024 * 1024;
const VERSION = '23.10.6-stand-in';

export interface StandInOptions {
  /** A free one without it. */
  readonly port?: number;
  /** Where the log is kept; in memory without it. */
  readonly data?: string;
  /** How long after the start it answers that it is not ready. */
  readonly notReadyMs?: number;
}

export interface StandIn {
  /** The connection string of a client. */
  readonly url: string;
  readonly port: number;
  /** Makes something go wrong; see `faults.ts`. */
  fault(fault: Fault, amount?: number): void;
  /** How many events are on the disk, system events included. */
  events(): number;
  close(): Promise<void>;
}

/**
 * A stand-in for EventStoreDB 23.10: a gRPC server with the real one's rules, as far as `conformance.mjs` and the
 * record of a real server tell them. For tests only.
 */
export async function startStandIn({ port = 0, data, notReadyMs = 0 }: StandInOptions = {}): Promise<StandIn> {
  const store = Store.open(data);
  const server = new Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': 64 * 1024,
  });
  const subscriptions = new Set<Subscription>();
  const reads = new Set<ReadCall>();
  let bound = port;
  const sockets = new Set<Socket>();
  const cutConnections = () => {
    for (const socket of sockets) socket.destroy();
  };
  const faults = new Faults((fault) => {
    if (fault === 'hold') store.log.hold();
    if (fault === 'release') store.log.release();
    if (fault === 'connections-cut') cutConnections();
    if (fault === 'streams-cut') for (const call of [...reads]) call.emit('error', refusals.unavailable());
    if (fault === 'subscriptions-ended') for (const each of [...subscriptions]) each.cut();
    if (fault === 'consumers-too-slow') for (const each of [...subscriptions]) each.cut(refusals.tooSlow());
  });
  const room: Room = { store, faults, port: () => bound, cutConnections };
  addServices(server, room, reads, subscriptions);
  const listener = await listen(server, sockets, port);
  bound = (listener.address() as AddressInfo).port;
  if (notReadyMs > 0) {
    faults.set('not-ready');
    setTimeout(() => faults.set('healthy'), notReadyMs).unref();
  }
  return {
    url: `esdb://127.0.0.1:${bound}?tls=false`,
    port: bound,
    fault: (fault, amount) => faults.set(fault, amount),
    events: () => store.all.length,
    async close() {
      server.forceShutdown();
      cutConnections();
      listener.close();
      await store.log.close();
    },
  };
}

/** The sockets are our own, so that a connection can break as a network breaks it. */
async function listen(server: Server, sockets: Set<Socket>, port: number) {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    injector.injectConnection(socket);
  });
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  return listener;
}

function addServices(server: Server, room: Room, reads: Set<ReadCall>, subscriptions: Set<Subscription>): void {
  const { read: readMethod, append: appendMethod, batchAppend: batchMethod, ...others } = streamsGrpc.StreamsService;
  const add = (service: object, methods: object) =>
    server.addService(service as ServiceDefinition, methods as UntypedServiceImplementation);
  add(
    {
      ...others,
      read: { ...readMethod, responseSerialize: (wire: Buffer) => wire },
      append: { ...appendMethod, requestDeserialize: limited(streamsPb.AppendReq) },
      batchAppend: { ...batchMethod, requestDeserialize: limited(streamsPb.BatchAppendReq) },
    },
    {
      read: (call: ReadCall) => {
        reads.add(call);
        for (const signal of ['cancelled', 'close', 'finish', 'error']) call.on(signal, () => reads.delete(call));
        read(room, call, subscriptions);
      },
      append: append.bind(undefined, room),
      batchAppend: batchAppend.bind(undefined, room),
      delete: remove.bind(undefined, room),
      tombstone: tombstone.bind(undefined, room),
    },
  );
  type Done<T> = (error: null, answer: T) => void;
  add(featuresGrpc.ServerFeaturesService, {
    getSupportedMethods: (_: unknown, done: Done<featuresPb.SupportedMethods>) => done(null, supportedMethods()),
  });
  add(gossipGrpc.GossipService, {
    read: (_: unknown, done: Done<gossipPb.ClusterInfo>) => done(null, gossip(room)),
  });
}

/** A message that the real server does not take is told apart before it is read. */
function limited<T>(message: { deserializeBinary(bytes: Uint8Array): T }): (bytes: Buffer) => T | typeof TOO_LARGE {
  return (bytes) => (bytes.length > MESSAGE_BYTES_MAX ? TOO_LARGE : message.deserializeBinary(bytes));
}

function supportedMethods(): featuresPb.SupportedMethods {
  const answer = new featuresPb.SupportedMethods();
  answer.setEventStoreServerVersion(VERSION);
  for (const name of ['read', 'append', 'batchappend', 'delete', 'tombstone']) {
    const method = new featuresPb.SupportedMethod();
    method.setServiceName('event_store.client.streams.streams');
    method.setMethodName(name);
    // The subscription to all with a filter is asked for as a feature by some clients.
    if (name === 'read') method.setFeaturesList(['position', 'events']);
    answer.addMethods(method);
  }
  return answer;
}

function gossip({ port, faults }: Room): gossipPb.ClusterInfo {
  const endpoint = new gossipPb.EndPoint();
  endpoint.setAddress('127.0.0.1');
  endpoint.setPort(port());
  const member = new gossipPb.MemberInfo();
  const { FOLLOWER, LEADER } = gossipPb.MemberInfo.VNodeState;
  member.setInstanceId(uuid());
  member.setTimeStamp(String(BigInt(Date.now()) * 10_000n));
  member.setState(faults.notLeader ? FOLLOWER : LEADER);
  member.setIsAlive(true);
  member.setHttpEndPoint(endpoint);
  const answer = new gossipPb.ClusterInfo();
  answer.addMembers(member);
  return answer;
}
