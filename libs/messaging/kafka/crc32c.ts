/*
 * CRC-32C (Castagnoli), with which Kafka seals a batch of records: eight bytes a step, from eight tables. Node has CRC-32
 * alone, of another polynomial; kafkajs takes a byte a step.
 */

const POLYNOMIAL = 0x82f63b78;
const STEP = 8;

/** Table n, from 256 × n on: what a byte does that has n others behind it. */
const TABLES = new Int32Array(STEP * 256);
for (let byte = 0; byte < 256; byte++) {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  TABLES[byte] = crc;
}
for (let at = 256; at < TABLES.length; at++) {
  const before = table(at - 256);
  TABLES[at] = table(before & 0xff) ^ (before >>> 8);
}

/** Of the bytes from `from` up to `to`. */
export function crc32c({ buffer, byteOffset, byteLength }: Uint8Array, from = 0, to = byteLength): number {
  const bytes = new DataView(buffer, byteOffset, byteLength);
  let crc = -1;
  let at = from;
  for (; at + STEP <= to; at += STEP) {
    const one = crc ^ bytes.getInt32(at, true);
    const two = bytes.getInt32(at + 4, true);
    crc =
      table(0x700 + (one & 0xff)) ^
      table(0x600 + ((one >>> 8) & 0xff)) ^
      table(0x500 + ((one >>> 16) & 0xff)) ^
      table(0x400 + (one >>> 24)) ^
      table(0x300 + (two & 0xff)) ^
      table(0x200 + ((two >>> 8) & 0xff)) ^
      table(0x100 + ((two >>> 16) & 0xff)) ^
      table(two >>> 24);
  }
  for (; at < to; at++) crc = table((crc ^ bytes.getUint8(at)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

function table(at: number): number {
  return TABLES[at] ?? 0;
}
