import type { UnixNano } from "@tocsin/model";
import type { ByteReader, ByteWriter } from "./bytes.ts";

/** Points in time as milliseconds and the nanoseconds beyond, so that neither needs a bigint. */
export interface Times {
  ms: Float64Array;
  nanos: Uint32Array;
}

function splitNano(nano: UnixNano): { ms: number; nanos: number } {
  return { ms: Number(nano / 1_000_000n), nanos: Number(nano % 1_000_000n) };
}

export const joinNano = (ms: number, nanos: number): UnixNano => BigInt(ms) * 1_000_000n + BigInt(nanos);

export function splitTimes(times: readonly UnixNano[]): Times {
  const ms = new Float64Array(times.length);
  const nanos = new Uint32Array(times.length);
  times.forEach((time, i) => {
    const split = splitNano(time);
    ms[i] = split.ms;
    nanos[i] = split.nanos;
  });
  return { ms, nanos };
}

/** Each millisecond as the difference to the one before it; nanoseconds in a run of their own. */
export function writeTimes(writer: ByteWriter, { ms, nanos }: Times): void {
  let last = 0;
  for (const value of ms) {
    writer.signed(value - last);
    last = value;
  }
  for (const value of nanos) writer.varint(value);
}

export function readTimes(reader: ByteReader, n: number): Times {
  const ms = reader.varints(new Float64Array(n));
  let last = 0;
  for (let i = 0; i < n; i++) {
    const zigzag = ms[i] as number;
    last += zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    ms[i] = last;
  }
  return { ms, nanos: reader.varints(new Uint32Array(n)) };
}
