import {
  inspect,
  logsFromJson,
  metricsFromJson,
  OtlpDecodeError,
  tracesFromJson,
  type Batch,
  type Signal,
  type Span,
} from "@tocsin/model";
import { errorMessage } from "@tocsin/platform";
import type { Dropped } from "../../component.ts";
import { Payload } from "../../payload.ts";

export interface OtlpRequest {
  payload: Payload;
  /** Records that were left out because they are invalid on their own. */
  dropped?: Dropped;
}

/** Checks a protobuf export request; it is decoded only when something in it has to be left out. Throws OtlpDecodeError. */
export function readProtobuf(signal: Signal, bytes: Uint8Array): OtlpRequest {
  const inspection = inspect(signal, bytes);
  const payload = Payload.ofBytes(signal, bytes, inspection);
  return inspection.incomplete === 0 ? { payload } : withoutIncomplete(payload.batch);
}

/** Reads an OTLP/JSON export request. Throws OtlpDecodeError. */
export function readJson(signal: Signal, bytes: Uint8Array): OtlpRequest {
  const json = parseJson(bytes);
  if (signal === "logs") return { payload: Payload.ofBatch({ signal, records: logsFromJson(json) }) };
  if (signal === "metrics") return { payload: Payload.ofBatch({ signal, metrics: metricsFromJson(json) }) };
  return withoutIncomplete({ signal, spans: tracesFromJson(json) });
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch (error) {
    const reason = error instanceof TypeError ? "it is not valid UTF-8" : errorMessage(error);
    throw new OtlpDecodeError(`the body is not JSON: ${reason}`, { cause: error });
  }
}

/** Spans need both their ids; the specification has receivers say so in partial_success. */
function withoutIncomplete(batch: Batch): OtlpRequest {
  if (batch.signal !== "traces") return { payload: Payload.ofBatch(batch) };
  const spans = batch.spans.filter(isComplete);
  const records = batch.spans.length - spans.length;
  const payload = Payload.ofBatch({ signal: "traces", spans });
  if (records === 0) return { payload };
  const first = batch.spans.find((span) => !isComplete(span))?.name ?? "";
  const message = `${records} spans have no trace id or no span id, the first is ${JSON.stringify(first)}`;
  return { payload, dropped: { records, reason: "incomplete_span", message } };
}

const isComplete = (span: Span) => span.traceId !== "" && span.spanId !== "";
