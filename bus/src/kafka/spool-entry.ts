import { z } from "zod";
import type { Outgoing } from "./message.ts";

const Head = z.object({ key: z.string(), headers: z.record(z.string(), z.string()), records: z.number() });

/** A record as one entry of the spool: the length of a JSON head, the head, the value. */
export function toEntry({ record: { key, value, headers }, records }: Outgoing): Uint8Array {
  const head = Buffer.from(JSON.stringify({ key, headers, records }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(head.length);
  return Buffer.concat([length, head, value]);
}

/** The CRC has held, so an entry that cannot be read is a bug and throws. */
export function fromEntry(entry: Uint8Array): Outgoing {
  const bytes = Buffer.from(entry.buffer, entry.byteOffset, entry.byteLength);
  const end = 4 + bytes.readUInt32LE(0);
  const { key, headers, records } = Head.parse(JSON.parse(bytes.toString("utf8", 4, end)));
  return { record: { key, headers, value: bytes.subarray(end) }, records };
}
