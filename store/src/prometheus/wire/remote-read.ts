import { type Matcher, type MatchType, ProtobufReader, ProtobufWriter, type Sample, type UnixMs } from "@tocsin/model";
import type { SeriesData } from "@tocsin/promql";
import type { DecodedSeries } from "./decoded-write.ts";
import { skipField } from "./fields.ts";
import { readTimeSeries } from "./write-v1.ts";

const MATCH_TYPES: Record<MatchType, number> = { "=": 0, "!=": 1, "=~": 2, "!~": 3 };

/** A `prometheus.ReadRequest` for whole samples of one selector; both ends are included. */
export function encodeReadRequest(matchers: readonly Matcher[], fromMs: UnixMs, toMs: UnixMs): Uint8Array {
  const out = new ProtobufWriter();
  const query = out.begin((1 << 3) | 2);
  out.varint(1 << 3);
  out.int64(fromMs);
  out.varint(2 << 3);
  out.int64(toMs);
  for (const { type, name, value } of matchers) {
    const matcher = out.begin((3 << 3) | 2);
    out.varint(1 << 3);
    out.varint(MATCH_TYPES[type]);
    out.string((2 << 3) | 2, name);
    out.string((3 << 3) | 2, value);
    out.end(matcher);
  }
  out.end(query);
  return out.finish();
}

/** The series of a `prometheus.ReadResponse` to one query. Throws ProtobufError. */
export function decodeReadResponse(bytes: Uint8Array): SeriesData[] {
  const reader = new ProtobufReader(bytes, Infinity);
  const found: SeriesData[] = [];
  while (reader.more) {
    const tag = reader.tag();
    if (tag !== ((1 << 3) | 2)) {
      skipField(reader, tag);
      continue;
    }
    const outer = reader.enter();
    while (reader.more) {
      const inner = reader.tag();
      if (inner === ((1 << 3) | 2)) {
        const series = readTimeSeries(reader);
        if (typeof series !== "string") found.push(toSeriesData(series));
      } else skipField(reader, inner);
    }
    reader.leave(outer);
  }
  return found;
}

/** Floats and histograms come apart; a series may hold both. */
function toSeriesData({ labels, samples }: DecodedSeries): SeriesData {
  const ordered: Sample[] = samples.some(({ histogram }) => histogram)
    ? samples.toSorted((a, b) => a.timestampMs - b.timestampMs)
    : samples;
  return {
    labels,
    timestamps: Float64Array.from(ordered, ({ timestampMs }) => timestampMs),
    values: Float64Array.from(ordered, ({ value }) => value),
    ...(ordered.some(({ stale }) => stale) && { stale: Uint8Array.from(ordered, ({ stale }) => (stale ? 1 : 0)) }),
    ...(ordered.some(({ histogram }) => histogram) && { histograms: ordered.map(({ histogram }) => histogram) }),
  };
}
