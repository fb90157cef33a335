import {
  decodeLogs,
  decodeMetrics,
  decodeTraces,
  encodeLogs,
  encodeMetrics,
  encodeTraces,
  type Batch,
  type Inspection,
  type Resource,
  type Signal,
} from "@tocsin/model";

/**
 * One export request on its way through the collector. It starts as bytes or as records and becomes the other only when a
 * part asks for it, so that what nobody looks into passes through untouched.
 */
export class Payload {
  readonly signal: Signal;
  /** Log records, spans, or metric data points. */
  readonly records: number;
  /** service.name of the first resource, by which the bus keeps order; may be empty. */
  readonly service: string;
  #bytes: Uint8Array | undefined;
  #batch: Batch | undefined;

  private constructor(
    signal: Signal,
    records: number,
    service: string,
    content: { bytes: Uint8Array } | { batch: Batch },
  ) {
    this.signal = signal;
    this.records = records;
    this.service = service;
    if ("bytes" in content) this.#bytes = content.bytes;
    else this.#batch = content.batch;
  }

  /** A protobuf export request that `inspect` has accepted. */
  static ofBytes(signal: Signal, bytes: Uint8Array, inspection: Pick<Inspection, "records" | "service">): Payload {
    return new Payload(signal, inspection.records, inspection.service, { bytes });
  }

  static ofBatch(batch: Batch): Payload {
    return new Payload(batch.signal, countRecords(batch), firstService(batch), { batch });
  }

  /** Requests of one signal as one: protobuf messages merge by being written one after the other. */
  static merge(payloads: readonly [Payload, ...Payload[]]): Payload {
    const [first] = payloads;
    if (payloads.length === 1) return first;
    const records = payloads.reduce((sum, payload) => sum + payload.records, 0);
    const bytes = Buffer.concat(payloads.map((payload) => payload.bytes));
    return new Payload(first.signal, records, first.service, { bytes });
  }

  /** The protobuf export request. */
  get bytes(): Uint8Array {
    return (this.#bytes ??= encode(this.#batch as Batch));
  }

  /** The records; do not change them, make a new payload. */
  get batch(): Batch {
    return (this.#batch ??= decode(this.signal, this.#bytes as Uint8Array));
  }
}

function encode(batch: Batch): Uint8Array {
  if (batch.signal === "logs") return encodeLogs(batch.records);
  return batch.signal === "traces" ? encodeTraces(batch.spans) : encodeMetrics(batch.metrics);
}

function decode(signal: Signal, bytes: Uint8Array): Batch {
  if (signal === "logs") return { signal, records: decodeLogs(bytes) };
  return signal === "traces" ? { signal, spans: decodeTraces(bytes) } : { signal, metrics: decodeMetrics(bytes) };
}

function countRecords(batch: Batch): number {
  if (batch.signal === "logs") return batch.records.length;
  if (batch.signal === "traces") return batch.spans.length;
  return batch.metrics.reduce((sum, metric) => sum + metric.points.length, 0);
}

/** The records of a batch, of whatever signal, as what they have in common. */
function recordsOf(batch: Batch): readonly { resource: Resource }[] {
  if (batch.signal === "logs") return batch.records;
  return batch.signal === "traces" ? batch.spans : batch.metrics;
}

function firstService(batch: Batch): string {
  const name = recordsOf(batch)[0]?.resource.attributes["service.name"];
  return typeof name === "string" ? name : "";
}
