/** How a field is written on the wire. */
export type FieldKind =
  | "varint"
  | "fixed64"
  | "fixed32"
  | "string"
  | "bytes"
  /** 16 bytes or none. */
  | "traceId"
  /** 8 bytes or none. */
  | "spanId"
  | "message"
  /** Repeated scalars, packed or one by one. */
  | "packedFixed64"
  | "packedVarint";

export interface FieldSchema {
  name: string;
  kind: FieldKind;
  repeated: boolean;
  message: MessageSchema | undefined;
}

/** The fields of one OTLP message by number, with their names as opentelemetry-proto spells them. */
export interface MessageSchema {
  name: string;
  fields: (FieldSchema | undefined)[];
  /** Becomes an object of its own in the model, which the limit on objects counts. */
  object: boolean;
  /** What `inspect` counts as a record. */
  record: boolean;
}

type FieldSpec = string | readonly [name: string, message: MessageSchema];

/** `"body" → singular`, `"attributes[]" → repeated`; the kind follows a colon: `"flags:fixed32"`. */
function message(
  name: string,
  fields: Record<number, FieldSpec>,
  role: "object" | "record" | "part" = "object",
): MessageSchema {
  const schema: MessageSchema = { name, fields: [], object: role !== "part", record: role === "record" };
  for (const [number, spec] of Object.entries(fields)) schema.fields[Number(number)] = field(spec);
  return schema;
}

function field(spec: FieldSpec): FieldSchema {
  const [text, message] = typeof spec === "string" ? [spec, undefined] : spec;
  const [label = "", kind = message ? "message" : "string"] = text.split(":");
  return { name: label.replace("[]", ""), kind: kind as FieldKind, repeated: label.endsWith("[]"), message };
}

const AnyValue = message(
  "AnyValue",
  {
    1: "string_value",
    2: "bool_value:varint",
    3: "int_value:varint",
    4: "double_value:fixed64",
    7: "bytes_value:bytes",
  },
  "part",
);
const KeyValue = message("KeyValue", { 1: "key", 2: ["value", AnyValue] }, "part");
const ArrayValue = message("ArrayValue", { 1: ["values[]", AnyValue] }, "part");
const KeyValueList = message("KeyValueList", { 1: ["values[]", KeyValue] }, "part");
AnyValue.fields[5] = field(["array_value", ArrayValue]);
AnyValue.fields[6] = field(["kvlist_value", KeyValueList]);

const EntityRef = message("EntityRef", { 1: "schema_url", 2: "type", 3: "id_keys[]", 4: "description_keys[]" });
const Resource = message("Resource", {
  1: ["attributes[]", KeyValue],
  2: "dropped_attributes_count:varint",
  3: ["entity_refs[]", EntityRef],
});
const Scope = message("InstrumentationScope", {
  1: "name",
  2: "version",
  3: ["attributes[]", KeyValue],
  4: "dropped_attributes_count:varint",
});

const LogRecord = message(
  "LogRecord",
  {
    1: "time_unix_nano:fixed64",
    2: "severity_number:varint",
    3: "severity_text",
    5: ["body", AnyValue],
    6: ["attributes[]", KeyValue],
    7: "dropped_attributes_count:varint",
    8: "flags:fixed32",
    9: "trace_id:traceId",
    10: "span_id:spanId",
    11: "observed_time_unix_nano:fixed64",
    12: "event_name",
  },
  "record",
);

const SpanEvent = message("Event", {
  1: "time_unix_nano:fixed64",
  2: "name",
  3: ["attributes[]", KeyValue],
  4: "dropped_attributes_count:varint",
});
const SpanLink = message("Link", {
  1: "trace_id:traceId",
  2: "span_id:spanId",
  3: "trace_state",
  4: ["attributes[]", KeyValue],
  5: "dropped_attributes_count:varint",
  6: "flags:fixed32",
});
const Status = message("Status", { 2: "message", 3: "code:varint" });
const Span = message(
  "Span",
  {
    1: "trace_id:traceId",
    2: "span_id:spanId",
    3: "trace_state",
    4: "parent_span_id:spanId",
    5: "name",
    6: "kind:varint",
    7: "start_time_unix_nano:fixed64",
    8: "end_time_unix_nano:fixed64",
    9: ["attributes[]", KeyValue],
    10: "dropped_attributes_count:varint",
    11: ["events[]", SpanEvent],
    12: "dropped_events_count:varint",
    13: ["links[]", SpanLink],
    14: "dropped_links_count:varint",
    15: ["status", Status],
    16: "flags:fixed32",
  },
  "record",
);

const Exemplar = message("Exemplar", {
  2: "time_unix_nano:fixed64",
  3: "as_double:fixed64",
  4: "span_id:spanId",
  5: "trace_id:traceId",
  6: "as_int:fixed64",
  7: ["filtered_attributes[]", KeyValue],
});
const NumberDataPoint = message(
  "NumberDataPoint",
  {
    2: "start_time_unix_nano:fixed64",
    3: "time_unix_nano:fixed64",
    4: "as_double:fixed64",
    5: ["exemplars[]", Exemplar],
    6: "as_int:fixed64",
    7: ["attributes[]", KeyValue],
    8: "flags:varint",
  },
  "record",
);
const HistogramDataPoint = message(
  "HistogramDataPoint",
  {
    2: "start_time_unix_nano:fixed64",
    3: "time_unix_nano:fixed64",
    4: "count:fixed64",
    5: "sum:fixed64",
    6: "bucket_counts[]:packedFixed64",
    7: "explicit_bounds[]:packedFixed64",
    8: ["exemplars[]", Exemplar],
    9: ["attributes[]", KeyValue],
    10: "flags:varint",
    11: "min:fixed64",
    12: "max:fixed64",
  },
  "record",
);
const Buckets = message("Buckets", { 1: "offset:varint", 2: "bucket_counts[]:packedVarint" });
const ExponentialHistogramDataPoint = message(
  "ExponentialHistogramDataPoint",
  {
    1: ["attributes[]", KeyValue],
    2: "start_time_unix_nano:fixed64",
    3: "time_unix_nano:fixed64",
    4: "count:fixed64",
    5: "sum:fixed64",
    6: "scale:varint",
    7: "zero_count:fixed64",
    8: ["positive", Buckets],
    9: ["negative", Buckets],
    10: "flags:varint",
    11: ["exemplars[]", Exemplar],
    12: "min:fixed64",
    13: "max:fixed64",
    14: "zero_threshold:fixed64",
  },
  "record",
);
const ValueAtQuantile = message("ValueAtQuantile", { 1: "quantile:fixed64", 2: "value:fixed64" });
const SummaryDataPoint = message(
  "SummaryDataPoint",
  {
    2: "start_time_unix_nano:fixed64",
    3: "time_unix_nano:fixed64",
    4: "count:fixed64",
    5: "sum:fixed64",
    6: ["quantile_values[]", ValueAtQuantile],
    7: ["attributes[]", KeyValue],
    8: "flags:varint",
  },
  "record",
);
const Gauge = message("Gauge", { 1: ["data_points[]", NumberDataPoint] });
const Sum = message("Sum", {
  1: ["data_points[]", NumberDataPoint],
  2: "aggregation_temporality:varint",
  3: "is_monotonic:varint",
});
const Histogram = message("Histogram", {
  1: ["data_points[]", HistogramDataPoint],
  2: "aggregation_temporality:varint",
});
const ExponentialHistogram = message("ExponentialHistogram", {
  1: ["data_points[]", ExponentialHistogramDataPoint],
  2: "aggregation_temporality:varint",
});
const Summary = message("Summary", { 1: ["data_points[]", SummaryDataPoint] });
const Metric = message("Metric", {
  1: "name",
  2: "description",
  3: "unit",
  5: ["gauge", Gauge],
  7: ["sum", Sum],
  9: ["histogram", Histogram],
  10: ["exponential_histogram", ExponentialHistogram],
  11: ["summary", Summary],
  12: ["metadata[]", KeyValue],
});

export interface RequestSchema {
  request: MessageSchema;
  resourceGroup: MessageSchema;
  scopeGroup: MessageSchema;
}

/** The wrappers from the request down to the record: resource groups, scope groups, records. */
function request(signal: string, field: string, records: string, record: MessageSchema): RequestSchema {
  const scopeGroup = message(`Scope${signal}`, { 1: ["scope", Scope], 2: [`${records}[]`, record], 3: "schema_url" });
  const resourceGroup = message(`Resource${signal}`, {
    1: ["resource", Resource],
    2: [`scope_${field}[]`, scopeGroup],
    3: "schema_url",
  });
  return {
    request: message(`Export${signal}ServiceRequest`, { 1: [`resource_${field}[]`, resourceGroup] }),
    resourceGroup,
    scopeGroup,
  };
}

/** Every message that decoding looks into. `inspect` and the reading of unknown fields go by the same tables. */
export const schemas = {
  AnyValue,
  ArrayValue,
  KeyValueList,
  KeyValue,
  EntityRef,
  Resource,
  Scope,
  LogRecord,
  SpanEvent,
  SpanLink,
  Status,
  Span,
  Exemplar,
  NumberDataPoint,
  HistogramDataPoint,
  Buckets,
  ExponentialHistogramDataPoint,
  ValueAtQuantile,
  SummaryDataPoint,
  Gauge,
  Sum,
  Histogram,
  ExponentialHistogram,
  Summary,
  Metric,
} as const;

export const requestSchemas = {
  logs: request("Logs", "logs", "log_records", LogRecord),
  traces: request("Trace", "spans", "spans", Span),
  metrics: request("Metrics", "metrics", "metrics", Metric),
} as const;
