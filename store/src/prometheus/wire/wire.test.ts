import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type NativeHistogram, ProtobufError, ProtobufWriter, type Sample } from "@tocsin/model";
import { decodeReadResponse, encodeReadRequest } from "./remote-read.ts";
import { encodeLabels, SeriesCache } from "./series-cache.ts";
import { SnappyError, snappyCompress, snappyUncompress } from "./snappy.ts";
import { decodeV1, encodeV1, type OutgoingSeries } from "./write-v1.ts";
import { decodeV2, encodeV2 } from "./write-v2.ts";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");
const series = (labels: Record<string, string>, samples: Sample[], exemplars: OutgoingSeries["exemplars"] = []) => ({
  series: encodeLabels(labels),
  samples,
  exemplars,
});

const buckets = fc.array(fc.oneof(fc.constant(0), fc.nat(1000)), { maxLength: 12 }).map((list) => {
  // What stands at the ends is not written when it is empty.
  while (list.at(-1) === 0) list.pop();
  while (list[0] === 0) list.shift();
  return list;
});
const histogram: fc.Arbitrary<NativeHistogram> = fc
  .record({
    schema: fc.integer({ min: -4, max: 8 }),
    count: fc.nat(100_000),
    sum: fc.double({ noNaN: true }),
    zeroThreshold: fc.double({ min: 0, max: 1, noNaN: true }),
    zeroCount: fc.oneof(fc.nat(100), fc.double({ min: 0, max: 9, noNaN: true })),
    positiveOffset: fc.integer({ min: -500, max: 500 }),
    positiveBuckets: buckets,
    negativeOffset: fc.integer({ min: -500, max: 500 }),
    negativeBuckets: buckets,
    customValues: fc.constant<number[]>([]),
    counterReset: fc.constantFrom("unknown", "reset", "notReset", "gauge"),
  })
  .map((h) => ({
    ...h,
    positiveOffset: h.positiveBuckets.length === 0 ? 0 : h.positiveOffset,
    negativeOffset: h.negativeBuckets.length === 0 ? 0 : h.negativeOffset,
  }));
const time = fc.integer({ min: -1e12, max: 4e12 });
const sample: fc.Arbitrary<Sample> = fc.oneof(
  fc.record({ timestampMs: time, value: fc.double() }),
  fc.record({ timestampMs: time, value: fc.constant(Number.NaN), stale: fc.constant(true) }),
  fc.record({ timestampMs: time, value: fc.constant(0), histogram }),
);
const labels = fc.dictionary(
  fc.string({ minLength: 1, unit: "grapheme" }).filter((name) => name !== "__proto__"),
  fc.string({ minLength: 1, unit: "grapheme" }),
  { maxKeys: 5, noNullPrototype: true },
);
const requests = fc.array(
  fc.record({
    labels,
    samples: fc.array(sample, { maxLength: 4 }),
    exemplars: fc.array(fc.record({ labels, value: fc.double(), timestampMs: time }), { maxLength: 2 }),
  }),
  { maxLength: 5 },
);

describe("remote write 1.0", () => {
  test("is written byte for byte as protobuf has it", () => {
    const bytes = encodeV1(
      [series({ job: "a", __name__: "up" }, [{ timestampMs: 1000, value: 1 }])],
      [{ metric: "up", type: "gauge", help: "H", unit: "" }],
    );
    expect(hex(bytes)).toBe(
      "0a28" +
        "0a0e0a085f5f6e616d655f5f12027570" + // __name__ up
        "0a080a036a6f62120161" + // job a
        "120c09000000000000f03f10e807" + // 1 at 1000
        "1a0b0802120275702201482a00", // metadata
    );
  });

  test("the end of a series is Prometheus' own NaN, and no other NaN is taken for it", () => {
    const stale = encodeV1([series({ a: "b" }, [{ timestampMs: 1, value: 0, stale: true }])], []);
    expect(hex(stale)).toContain("09020000000000f07f");
    expect(decodeV1(stale).series[0]?.samples).toEqual([{ timestampMs: 1, value: Number.NaN, stale: true }]);
    const nan = encodeV1([series({ a: "b" }, [{ timestampMs: 1, value: Number.NaN }])], []);
    expect(decodeV1(nan).series[0]?.samples).toEqual([{ timestampMs: 1, value: Number.NaN }]);
  });

  test("whatever is written is read again", () => {
    fc.assert(
      fc.property(requests, (all) => {
        const metadata = [{ metric: "m", type: "histogram" as const, help: "é", unit: "s" }];
        const bytes = encodeV1(all.map(({ labels, samples, exemplars }) => series(labels, samples, exemplars)), metadata); // prettier-ignore
        const read = decodeV1(bytes);
        expect(read).toEqual({ series: all, metadata, invalid: [] });
      }),
    );
  });

  test("labels come out in order of names, whatever the order in which they are given", () => {
    expect(encodeLabels({ b: "1", a: "2", "": "" }).pairs).toEqual(["a", "2", "b", "1"]);
    expect(encodeLabels({ b: "1", a: "2" }).hash).toBe(encodeLabels({ a: "2", b: "1" }).hash);
    const cache = new SeriesCache(2);
    const first = cache.get({ a: "1" });
    expect(cache.get({ a: "1" })).toBe(first);
    for (const a of ["2", "3", "4", "5", "6"]) cache.get({ a });
    expect(cache.get({ a: "1" })).not.toBe(first);
  });

  test("a label given twice leaves its series out, with the reason", () => {
    const out = new ProtobufWriter();
    const mark = out.begin((1 << 3) | 2);
    out.raw(encodeLabels({ a: "1" }).bytes);
    out.raw(encodeLabels({ a: "2" }).bytes);
    out.end(mark);
    expect(decodeV1(out.finish())).toEqual({ series: [], metadata: [], invalid: ['label "a" is given twice'] });
  });
});

describe("remote write 2.0", () => {
  test("whatever is written is read again, metadata with its series", () => {
    fc.assert(
      fc.property(requests, (all) => {
        const bytes = encodeV2(all.map(({ labels, samples, exemplars }) => series(labels, samples, exemplars)), () => undefined); // prettier-ignore
        expect(decodeV2(bytes)).toEqual({ series: all, metadata: [], invalid: [] });
      }),
    );
    const metadata = { metric: "m", type: "counter", help: "H", unit: "s" } as const;
    const bytes = encodeV2([series({ __name__: "m" }, [])], () => metadata);
    expect(decodeV2(bytes).metadata).toEqual([metadata]);
  });

  test("start times travel with the samples", () => {
    const samples = [{ timestampMs: 5, value: 1, startTimestampMs: 2 }];
    expect(decodeV2(encodeV2([series({ a: "b" }, samples)], () => undefined)).series[0]?.samples).toEqual(samples);
  });

  test.each([
    ["a reference too far", "22002a040a020506", /no symbol 5, only 1/],
    ["a name without a value", "22002201612a030a0101", /a name and no value/],
    ["symbols that start with text", "220161", /first symbol/],
  ])("%s is a mistake", (_, bytes, message) => {
    expect(() => decodeV2(Buffer.from(bytes, "hex"))).toThrow(message);
  });
});

test("random bytes are refused or read, and never throw anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const decode of [decodeV1, decodeV2, decodeReadResponse]) {
        try {
          decode(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ProtobufError);
        }
      }
    }),
    { numRuns: 2000 },
  );
});

test("spans that ask for far more buckets than there are counts are refused", () => {
  const out = new ProtobufWriter();
  const outer = out.begin((1 << 3) | 2);
  const histogram = out.begin((4 << 3) | 2);
  const span = out.begin((11 << 3) | 2);
  out.varint(2 << 3);
  out.varint(0xffffffff);
  out.end(span);
  out.end(histogram);
  out.end(outer);
  expect(() => decodeV1(out.finish())).toThrow(/spans of a histogram/);
});

describe("remote read", () => {
  test("asks for the samples of one selector", () => {
    const bytes = encodeReadRequest([{ name: "a", type: "!~", value: "b" }], 1, 300);
    expect(hex(bytes)).toBe("0a0f080110ac021a0808031201611a0162");
  });

  test("floats and histograms of one series come in order of time", () => {
    const h = { ...emptyHistogram, count: 1 };
    const samples = [
      { timestampMs: 1, value: 1 },
      { timestampMs: 3, value: 3 },
      { timestampMs: 2, value: 0, histogram: h },
    ];
    const inner = encodeV1([series({ a: "b" }, samples)], []);
    const out = new ProtobufWriter();
    out.bytes((1 << 3) | 2, inner);
    expect(decodeReadResponse(out.finish())).toEqual([
      {
        labels: { a: "b" },
        timestamps: Float64Array.of(1, 2, 3),
        values: Float64Array.of(1, 0, 3),
        histograms: [undefined, h, undefined],
      },
    ]);
  });
});

describe("snappy", () => {
  test("gives back what was compressed", async () => {
    const bytes = Buffer.from("to be or not to be, to be or not to be");
    expect(Buffer.from(await snappyUncompress(await snappyCompress(bytes), 100))).toEqual(bytes);
  });

  test("says no before it allocates", async () => {
    // Announces 4 GiB.
    await expect(snappyUncompress(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f), 1000)).rejects.toMatchObject({
      name: "SnappyError",
      tooLarge: true,
    });
    await expect(snappyUncompress(Uint8Array.of(), 1000)).rejects.toThrow(SnappyError);
    await expect(snappyUncompress(Uint8Array.of(5, 0xff, 0xff), 1000)).rejects.toThrow(SnappyError);
  });
});

const emptyHistogram: NativeHistogram = {
  schema: 0,
  count: 0,
  sum: 0,
  zeroThreshold: 0,
  zeroCount: 0,
  positiveOffset: 0,
  positiveBuckets: [],
  negativeOffset: 0,
  negativeBuckets: [],
  customValues: [],
  counterReset: "unknown",
};
