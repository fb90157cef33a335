import { ProtobufWriter, type Signal } from "@tocsin/model";
import type { Dropped } from "../../component.ts";

export type Encoding = "protobuf" | "json";

/** google.rpc.Code, as far as we answer with it. */
export const RpcCode = { invalidArgument: 3, resourceExhausted: 8, internal: 13, unavailable: 14 } as const;

const REJECTED_FIELD: Readonly<Record<Signal, string>> = {
  logs: "rejectedLogRecords",
  traces: "rejectedSpans",
  metrics: "rejectedDataPoints",
};

/** The body of an Export…ServiceResponse; with `partial_success` when something was left out. */
export function exportResponse(signal: Signal, encoding: Encoding, dropped: Dropped | undefined): Uint8Array {
  if (encoding === "json") {
    const partialSuccess = dropped && {
      [REJECTED_FIELD[signal]]: String(dropped.records),
      errorMessage: dropped.message,
    };
    return Buffer.from(JSON.stringify(partialSuccess ? { partialSuccess } : {}));
  }
  if (!dropped) return new Uint8Array();
  const writer = new ProtobufWriter();
  const mark = writer.begin(10);
  writer.varint(8);
  writer.varint(dropped.records);
  writer.string(18, dropped.message);
  writer.end(mark);
  return writer.finish();
}

/** A google.rpc.Status; with a RetryInfo when `retryAfterMs` is given. */
export function statusBody(encoding: Encoding, code: number, message: string, retryAfterMs?: number): Uint8Array {
  if (encoding === "json") return Buffer.from(JSON.stringify({ code, message }));
  const writer = new ProtobufWriter();
  writer.varint(8);
  writer.varint(code);
  writer.string(18, message);
  if (retryAfterMs !== undefined) writeRetryInfo(writer, retryAfterMs);
  return writer.finish();
}

/** `details { type_url, value: RetryInfo { retry_delay: Duration { seconds, nanos } } }` */
function writeRetryInfo(writer: ProtobufWriter, afterMs: number): void {
  const detail = writer.begin(26);
  writer.string(10, "type.googleapis.com/google.rpc.RetryInfo");
  const info = writer.begin(18);
  const delay = writer.begin(10);
  writer.varint(8);
  writer.varint(Math.floor(afterMs / 1000));
  writer.varint(16);
  writer.varint((afterMs % 1000) * 1_000_000);
  writer.end(delay);
  writer.end(info);
  writer.end(detail);
}
