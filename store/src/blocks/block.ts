import type { Field } from "@tocsin/model";
import type { Column } from "./columns.ts";

/** At most this many records go into a block; record `i` of block `b` is row `b * ROWS_PER_BLOCK + i` of its file. */
export const ROWS_PER_BLOCK = 1024;
/** A block is closed at this many records … */
export const BLOCK_RECORDS = 1000;
/** … or when they hold this much. */
export const BLOCK_BYTES = 4 * 1024 * 1024;

/** The four compressed parts of a block, parted by what is read together. */
export interface BlockParts {
  /** Times, service, severity; of spans also duration, operation, kind, status, peer. */
  hot: Uint8Array;
  /** Trace and span ids. */
  ids: Uint8Array;
  /** Resources, scopes, attributes by column. */
  attrs: Uint8Array;
  /** Messages; of spans events and links. */
  body: Uint8Array;
}

export interface EncodedBlock extends BlockParts {
  /** First and last time in it, milliseconds. */
  t0: number;
  t1: number;
  n: number;
}

/** What a search sees of a block: any field of all its records, decoded when first asked for. */
export interface BlockView {
  readonly n: number;
  readonly ms: Float64Array;
  readonly nanos: Uint32Array;
  /** The text that bare words search. */
  text(row: number): string;
  /** The columns a field stands for; a record matches when one of them does. */
  columns(field: Field): Column[];
}

/** Packs the parts of a small, still open block into one value. */
export function packParts({ hot, ids, attrs, body }: BlockParts): Buffer {
  const parts = [hot, ids, attrs, body];
  const head = Buffer.alloc(parts.length * 4);
  parts.forEach((part, i) => head.writeUInt32LE(part.length, i * 4));
  return Buffer.concat([head, ...parts]);
}

export function unpackParts(packed: Uint8Array): BlockParts {
  const buffer = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength);
  let at = 16;
  const next = (i: number): Buffer => buffer.subarray(at, (at += buffer.readUInt32LE(i * 4)));
  return { hot: next(0), ids: next(1), attrs: next(2), body: next(3) };
}
