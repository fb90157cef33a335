import {
  encodeLogs,
  encodeMetrics,
  encodeTraces,
  inspect,
  logsFromJson,
  metricsFromJson,
  OtlpDecodeError,
  requestToJson,
  splitRequest,
  tracesFromJson,
  type Signal,
} from "@tocsin/model";
import type { BusMessage, Topic } from "../bus.ts";
import type { KafkaBusConfig } from "./config.ts";
import type { KafkaRecord, OutgoingRecord } from "./driver.ts";

/** How many OTLP records the value holds; other producers leave it out, and then they are counted. */
const RECORDS_HEADER = "tocsin-records";

const SIGNALS: Readonly<Record<Topic, Signal | undefined>> = {
  otlp_logs: "logs",
  otlp_spans: "traces",
  otlp_metrics: "metrics",
  tocsin_decisions: undefined,
};

const fromJson: Readonly<Record<Signal, (json: unknown) => Uint8Array>> = {
  logs: (json) => encodeLogs(logsFromJson(json)),
  traces: (json) => encodeTraces(tracesFromJson(json)),
  metrics: (json) => encodeMetrics(metricsFromJson(json)),
};

/** A record and what it counts for. */
export interface Outgoing {
  record: OutgoingRecord;
  records: number;
}

/** What a message becomes: Kafka records within the limit, and single OTLP records that are larger than it. */
export interface Encoded {
  outgoing: Outgoing[];
  tooLarge: Uint8Array[];
}

/** A message as Kafka records. Throws OtlpDecodeError when it must be looked into and is not OTLP. */
export function encodeMessage(
  message: BusMessage,
  { encoding, max_message_bytes: maxBytes }: Pick<KafkaBusConfig, "encoding" | "max_message_bytes">,
): Encoded {
  const { topic, key, value, records } = message;
  const signal = SIGNALS[topic];
  const whole = (bytes: Uint8Array, count: number): Outgoing => ({
    record: { key, value: bytes, headers: { [RECORDS_HEADER]: String(count) } },
    records: count,
  });
  if (!signal) {
    return value.length <= maxBytes
      ? { outgoing: [whole(value, records)], tooLarge: [] }
      : { outgoing: [], tooLarge: [value] };
  }
  const write = encoding === "otlp_json" ? (bytes: Uint8Array) => Buffer.from(requestToJson(signal, bytes)) : undefined;
  const written = write?.(value) ?? value;
  if (written.length <= maxBytes) return { outgoing: [whole(written, records)], tooLarge: [] };
  const result: Encoded = { outgoing: [], tooLarge: [] };
  const cut = (bytes: Uint8Array, limit: number) => {
    const { parts, tooLarge } = splitRequest(signal, bytes, limit);
    result.tooLarge.push(...tooLarge);
    for (const part of parts) {
      const text = write?.(part) ?? part;
      const count = inspect(signal, part).records;
      if (text.length <= maxBytes) result.outgoing.push(whole(text, count));
      else if (count <= 1) result.tooLarge.push(part);
      else cut(part, Math.floor(part.length / 2));
    }
  };
  // JSON is longer than protobuf, by how much depends on the records.
  cut(value, Math.floor((maxBytes * value.length) / written.length));
  return result;
}

/** A record from Kafka as a message; a string says why it cannot be one. */
export function decodeRecord(topic: Topic, { key, value, headers }: KafkaRecord): BusMessage | string {
  const signal = SIGNALS[topic];
  const counted = Number(headers[RECORDS_HEADER]);
  if (!signal) return { topic, key, value, records: counted || 1 };
  try {
    // No protobuf request begins with `{`, which would be the start of a group.
    const bytes = value[0] === 0x7b ? fromJson[signal](JSON.parse(Buffer.from(value).toString())) : value;
    return { topic, key, value: bytes, records: counted || inspect(signal, bytes).records };
  } catch (error) {
    if (error instanceof OtlpDecodeError || error instanceof SyntaxError) return error.message;
    throw error;
  }
}
