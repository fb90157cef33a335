import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { NativeHistogram } from "@tocsin/model";
import { ByteReader, ByteWriter, CorruptDataError } from "./bytes.ts";
import { CHUNK_SAMPLES, readChunkBody, readChunkHead, writeChunk } from "./chunk.ts";
import { Columns } from "./columns.ts";

const bitsOf = (values: ArrayLike<number>) =>
  Array.from({ length: values.length }, (_, i) => {
    const view = new DataView(new ArrayBuffer(8));
    view.setFloat64(0, values[i] ?? 0);
    return view.getBigUint64(0);
  });

function columnsOf(timestamps: number[], values: number[], stale: number[] = []): Columns {
  const columns = new Columns(1);
  columns.reserve(timestamps.length);
  columns.timestamps.set(timestamps);
  columns.values.set(values);
  columns.count = timestamps.length;
  columns.stale.push(...stale);
  return columns;
}

function encode(columns: Columns): Uint8Array {
  const out = new ByteWriter();
  writeChunk(out, columns, 0, columns.count);
  return out.copy();
}

function decode(bytes: Uint8Array): Columns {
  const reader = new ByteReader(bytes);
  const columns = new Columns(1);
  readChunkBody(reader, readChunkHead(reader), columns);
  expect(reader.atEnd).toBe(true);
  return columns;
}

const every15s = (count: number) => Array.from({ length: count }, (_, i) => 1_700_000_000_000 + i * 15_000);

describe("a chunk", () => {
  const anyValue = fc.oneof(
    fc.double(),
    fc.constantFrom(
      NaN,
      Infinity,
      -Infinity,
      0,
      -0,
      Number.MIN_VALUE,
      Number.MAX_VALUE,
      2 ** 53,
      -(2 ** 53),
      0.1,
      1e-7,
    ),
    fc.integer(),
    fc.integer({ min: -1000, max: 1000 }).map((n) => n / 100),
  );
  const anySamples = fc.array(fc.tuple(fc.integer({ min: 1, max: 4_000_000_000 }), anyValue), {
    minLength: 1,
    maxLength: 300,
  });

  test("gives back every timestamp and every bit of every value", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 4e12 }), anySamples, (start, samples) => {
        let at = start;
        const timestamps = samples.map(([gap]) => (at += gap));
        const values = samples.map(([, value]) => value);
        const back = decode(encode(columnsOf(timestamps, values)));
        expect([...back.timestamps.subarray(0, back.count)]).toEqual(timestamps);
        expect(bitsOf(back.values.subarray(0, back.count))).toEqual(bitsOf(values));
      }),
      { numRuns: 400 },
    );
  });

  test.each([
    ["counters with resets", (i: number) => (i % 100) * 7 + 3],
    ["hundredths", (i: number) => Math.round(Math.sin(i) * 1000) / 100],
    ["full doubles", (i: number) => Math.sin(i) * 1e6],
    ["sums with rounding noise", (i: number) => i * 0.1 + 0.3],
    ["mostly decimals with some NaN", (i: number) => (i % 40 === 7 ? NaN : i / 4)],
    ["numbers beyond 2^51", (i: number) => 2 ** 52 + i],
  ])("gives back %s", (_, shape) => {
    const timestamps = every15s(CHUNK_SAMPLES);
    const values = timestamps.map((_, i) => shape(i));
    const back = decode(encode(columnsOf(timestamps, values)));
    expect(bitsOf(back.values.subarray(0, back.count))).toEqual(bitsOf(values));
  });

  test("keeps staleness markers and histograms beside plain values", () => {
    const histogram: NativeHistogram = {
      schema: 3,
      count: 12,
      sum: -1.5,
      zeroThreshold: 1e-128,
      zeroCount: 2.5,
      positiveOffset: -4,
      positiveBuckets: [1, 2, 3],
      negativeOffset: 0,
      negativeBuckets: [],
      customValues: [],
      counterReset: "notReset",
    };
    const columns = columnsOf(every15s(4), [1, 2, 3, 4], [3]);
    columns.histograms.push({ index: 1, histogram });
    const back = decode(encode(columns));
    expect(back.stale).toEqual([3]);
    expect(back.histograms).toEqual([{ index: 1, histogram }]);
    expect([back.values[0], back.values[2]]).toEqual([1, 3]);
  });

  test("takes at most a few bytes when nothing changes", () => {
    const timestamps = every15s(480);
    expect(
      encode(
        columnsOf(
          timestamps,
          timestamps.map(() => 42),
        ),
      ).length,
    ).toBeLessThan(30);
  });

  test("takes under 1.3 bytes a sample for a busy counter scraped with jitter", () => {
    let total = 0;
    const timestamps = every15s(480).map((at, i) => at + (i % 3));
    const values = timestamps.map((_, i) => (total += 500 + ((i * 7919) % 101)));
    expect(encode(columnsOf(timestamps, values)).length / 480).toBeLessThan(1.3);
  });

  test("throws on damage instead of answering wrongly or hanging", () => {
    const timestamps = every15s(200);
    const bytes = encode(
      columnsOf(
        timestamps,
        timestamps.map((_, i) => Math.sqrt(i)),
      ),
    );
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 0, max: 255 }), (cut, byte) => {
        const damaged = Uint8Array.from(bytes);
        damaged[cut] = byte;
        const columns = new Columns(1);
        try {
          const reader = new ByteReader(damaged.subarray(0, Math.max(1, cut)));
          readChunkBody(reader, readChunkHead(reader), columns);
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptDataError);
        }
        expect(columns.count).toBeLessThanOrEqual(CHUNK_SAMPLES);
      }),
    );
  });
});
