import { randomUUID } from 'node:crypto';
import sharedPb from '@eventstore/db-client/generated/shared_pb.js';
import statusPb from '@eventstore/db-client/generated/status_pb.js';
import streamsPb from '@eventstore/db-client/generated/streams_pb.js';
import anyPb from 'google-protobuf/google/protobuf/any_pb.js';

/* What goes over the wire: an event's bytes are made once, when it is written, and sent as they are for ever after. */

export const NIL_UUID = '00000000-0000-0000-0000-000000000000';
export const LARGEST_REVISION = '9223372036854775807';

export interface Proposed {
  readonly id: string;
  readonly type: string;
  readonly contentType: string;
  readonly data: Uint8Array;
  readonly metadata: Uint8Array;
}

interface ProposedMessage {
  getId(): sharedPb.UUID | undefined;
  getMetadataMap(): { get(key: string): string | undefined };
  getData_asU8(): Uint8Array;
  getCustomMetadata_asU8(): Uint8Array;
}

/** The event of a request; nothing where the server calls it a bad request. */
export function proposed(message: ProposedMessage): Proposed | undefined {
  const id = uuidOf(message.getId());
  const type = message.getMetadataMap().get('type');
  if (!id || id === NIL_UUID || !type) return undefined;
  return {
    id,
    type,
    contentType: message.getMetadataMap().get('content-type') ?? 'application/octet-stream',
    data: message.getData_asU8(),
    metadata: message.getCustomMetadata_asU8(),
  };
}

/** A UUID in any spelling that .NET reads, as it comes back: lower case with hyphens. */
export function uuidOf(uuid: sharedPb.UUID | undefined): string | undefined {
  const structured = uuid?.getStructured();
  const half = (text: string) => BigInt.asUintN(64, BigInt(text)).toString(16).padStart(16, '0');
  const text = structured
    ? half(structured.getMostSignificantBits()) + half(structured.getLeastSignificantBits())
    : (uuid?.getString() ?? '').replace(/^[{(](.*)[})]$/, '$1');
  const parts = /^([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})$/i.exec(text);
  return parts?.slice(1).join('-').toLowerCase();
}

export function uuid(text = randomUUID() as string): sharedPb.UUID {
  const message = new sharedPb.UUID();
  message.setString(text);
  return message;
}

export function identifier(stream: string): sharedPb.StreamIdentifier {
  const message = new sharedPb.StreamIdentifier();
  message.setStreamName(Buffer.from(stream, 'utf8'));
  return message;
}

export function nameOf(message: sharedPb.StreamIdentifier | undefined): string {
  return Buffer.from(message?.getStreamName_asU8() ?? []).toString('utf8');
}

/** The answer that carries one event, as bytes. */
export function eventWire(stream: string, revision: string, position: number, event: Proposed): Buffer {
  const recorded = new streamsPb.ReadResp.ReadEvent.RecordedEvent();
  recorded.setId(uuid(event.id));
  recorded.setStreamIdentifier(identifier(stream));
  recorded.setStreamRevision(revision);
  recorded.setCommitPosition(String(position));
  recorded.setPreparePosition(String(position));
  recorded.getMetadataMap().set('type', event.type);
  recorded.getMetadataMap().set('content-type', event.contentType);
  recorded.getMetadataMap().set('created', String(BigInt(Date.now()) * 10_000n));
  recorded.setData(event.data);
  recorded.setCustomMetadata(event.metadata);
  return resolvedWire(recorded, undefined, position);
}

/** One event as a read with links resolved gives it: the target where it is there, and the link. */
export function resolvedWire(
  event: streamsPb.ReadResp.ReadEvent.RecordedEvent | undefined,
  link: streamsPb.ReadResp.ReadEvent.RecordedEvent | undefined,
  position: number,
): Buffer {
  const read = new streamsPb.ReadResp.ReadEvent();
  if (event) read.setEvent(event);
  if (link) read.setLink(link);
  read.setCommitPosition(String(position));
  const response = new streamsPb.ReadResp();
  response.setEvent(read);
  return Buffer.from(response.serializeBinary());
}

export function recordedOf(wire: Buffer): streamsPb.ReadResp.ReadEvent.RecordedEvent {
  const recorded = streamsPb.ReadResp.deserializeBinary(wire).getEvent()?.getEvent();
  if (!recorded) throw new Error('the log holds something that is no event');
  return recorded;
}

const readAnswer = (fill: (response: streamsPb.ReadResp) => void): Buffer => {
  const response = new streamsPb.ReadResp();
  fill(response);
  return Buffer.from(response.serializeBinary());
};

export const caughtUpWire = readAnswer((response) => response.setCaughtUp(new streamsPb.ReadResp.CaughtUp()));

export function confirmationWire(): Buffer {
  const confirmation = new streamsPb.ReadResp.SubscriptionConfirmation();
  confirmation.setSubscriptionId(randomUUID());
  return readAnswer((response) => response.setConfirmation(confirmation));
}

export function checkpointWire(commit: number, prepare: number): Buffer {
  const checkpoint = new streamsPb.ReadResp.Checkpoint();
  checkpoint.setCommitPosition(String(commit));
  checkpoint.setPreparePosition(String(prepare));
  return readAnswer((response) => response.setCheckpoint(checkpoint));
}

export function notFoundWire(stream: string): Buffer {
  const notFound = new streamsPb.ReadResp.StreamNotFound();
  notFound.setStreamIdentifier(identifier(stream));
  return readAnswer((response) => response.setStreamNotFound(notFound));
}

/** What `BatchAppend` says of a refusal: a `google.rpc.Status` whose details are named and packed. */
export function status(message: string, type: string, details: Uint8Array = new Uint8Array()): statusPb.Status {
  const packed = new anyPb.Any();
  packed.setTypeUrl(`type.googleapis.com/${type}`);
  packed.setValue(details);
  const answer = new statusPb.Status();
  answer.setCode(2);
  answer.setMessage(message);
  answer.setDetails(packed);
  return answer;
}
