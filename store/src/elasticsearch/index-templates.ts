import type { StoredSignal } from "../writers/record-kind.ts";
import type { ElasticsearchConfig } from "./config.ts";
import type { Json, ServerFeatures } from "./connection.ts";
import { indexPattern } from "./index-names.ts";

const KEYWORD: Json = { type: "keyword", ignore_above: 1024 };
/** Found by, but never sorted by nor counted. */
const TERMS: Json = { type: "keyword", doc_values: false };
const DATE: Json = { type: "date", format: "strict_date_optional_time||epoch_millis" };
const DAY_SECONDS = 86_400;

/**
 * Attributes by any key without a mapping for each: `flattened`, or OpenSearch's `flat_object`. Tocsin's own search goes by
 * `search.terms`; these are for Kibana, Grafana and facets.
 */
function attributes({ flavor }: ServerFeatures): Json {
  if (flavor === "opensearch") return { type: "flat_object" };
  return { type: "flattened", ignore_above: 1024, depth_limit: 100 };
}

function commonFields(features: ServerFeatures): Json {
  return {
    "@timestamp": DATE,
    /** Nanoseconds within the millisecond. */
    nanos: { type: "integer" },
    /** Parts records of one instant, the same way every time. */
    order: { type: "long" },
    /** When the writer got the record. */
    received: DATE,
    service: KEYWORD,
    service_version: KEYWORD,
    scope: KEYWORD,
    attributes: attributes(features),
    resource: attributes(features),
    search: {
      properties: {
        words: { type: "text", analyzer: "whitespace" },
        terms: TERMS,
        numbers: TERMS,
      },
    },
  };
}

const SIGNAL_FIELDS: Record<StoredSignal, (config: ElasticsearchConfig, features: ServerFeatures) => Json> = {
  logs: ({ index_message: indexed }, { cjk }) => ({
    severity: KEYWORD,
    severity_number: { type: "byte" },
    severity_text: KEYWORD,
    message: indexed ? { type: "text", analyzer: cjk ? "cjk" : "standard" } : { type: "text", index: false },
    trace_id: KEYWORD,
    span_id: KEYWORD,
    event: KEYWORD,
  }),
  spans: () => ({
    trace_id: KEYWORD,
    span_id: KEYWORD,
    parent_span_id: KEYWORD,
    name: KEYWORD,
    kind: KEYWORD,
    status: KEYWORD,
    status_message: { type: "text", index: false },
    duration_ms: { type: "double" },
    peer: { properties: { kind: KEYWORD, name: KEYWORD } },
  }),
};

/** The body of `PUT _index_template/<prefix>-<signal>`. */
export function indexTemplate(signal: StoredSignal, config: ElasticsearchConfig, features: ServerFeatures): Json {
  const { index_prefix: prefix, refresh_interval: refreshMs } = config;
  const { shards, replicas } = config[signal];
  return {
    index_patterns: [indexPattern(prefix, signal)],
    priority: 300,
    _meta: { managed_by: "tocsin" },
    template: {
      settings: {
        number_of_shards: shards,
        ...(/^\d+$/.test(replicas) ? { number_of_replicas: Number(replicas) } : { auto_expand_replicas: replicas }),
        refresh_interval: `${refreshMs}ms`,
        ...(features.ilm && { "index.lifecycle.name": `${prefix}-${signal}` }),
      },
      mappings: {
        dynamic: false,
        // Made anew with each write, so there is no need to keep a copy.
        _source: { excludes: ["search"] },
        properties: { ...commonFields(features), ...SIGNAL_FIELDS[signal](config, features) },
      },
    },
  };
}

/**
 * The body of `PUT _ilm/policy/<prefix>-<signal>`. Tocsin drops indices itself by the day in their name; the policy merges
 * what is no longer written, and deletes also when Tocsin does not run. Late records still get in.
 */
export function lifecyclePolicy(retentionMs: number): Json {
  const seconds = Math.ceil(retentionMs / 1000) + 2 * DAY_SECONDS;
  return {
    policy: {
      _meta: { managed_by: "tocsin" },
      phases: {
        hot: { actions: { set_priority: { priority: 100 } } },
        warm: { min_age: "2d", actions: { set_priority: { priority: 50 }, forcemerge: { max_num_segments: 1 } } },
        delete: { min_age: `${seconds}s`, actions: { delete: {} } },
      },
    },
  };
}
