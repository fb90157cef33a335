import {
  SPAN_KINDS,
  SPAN_STATUSES,
  type Attributes,
  type AttributeValue,
  type Span,
  type SpanEvent,
  type SpanKind,
  type SpanLink,
  type StatusCode,
} from "@tocsin/model";
import { decodeValue, encodeValue } from "../blocks/columns.ts";
import { peerOf } from "../spans/peer.ts";
import type { BulkDocument } from "./bulk-writer.ts";
import {
  attributesMember,
  attributesOf,
  hashNumber,
  joinTime,
  plainJson,
  resourceOf,
  searchMember,
  sha1,
  SharedParts,
  splitTime,
  type StoredDocument,
} from "./document.ts";
import { attributeTerms, searchWords } from "./search-terms.ts";

/** Documents of spans; trace id and span id make the document's id, so a span that comes again is written over itself. */
export function spanDocuments(spans: readonly Span[], indexName: (ms: number) => string, at: number): BulkDocument[] {
  const parts = new SharedParts();
  const received = new Date(at).toISOString();
  return spans.map((span) => {
    const { ms, nanos } = splitTime(span.startTimeUnixNano);
    const resource = parts.resource(span.resource);
    const peer = peerOf(span);
    const durationMs = Number(span.endTimeUnixNano - span.startTimeUnixNano) / 1e6;
    const id = span.traceId + span.spanId;
    const source =
      `{"@timestamp":"${new Date(ms).toISOString()}","nanos":${nanos},"order":${hashNumber(sha1(id))},` +
      `"received":"${received}","end_unix_nano":"${span.endTimeUnixNano}","duration_ms":${durationMs},` +
      `${resource.members}${parts.scope(span.scope)},"trace_id":"${span.traceId}","span_id":"${span.spanId}"` +
      (span.parentSpanId === "" ? "" : `,"parent_span_id":"${span.parentSpanId}"`) +
      (span.traceState === "" ? "" : `,"trace_state":${JSON.stringify(span.traceState)}`) +
      `,"flags":${span.flags},"name":${JSON.stringify(span.name)},"kind":"${SPAN_KINDS[span.kind]}"` +
      `,"status":"${SPAN_STATUSES[span.status.code]}"` +
      (span.status.message === "" ? "" : `,"status_message":${JSON.stringify(span.status.message)}`) +
      (peer ? `,"peer":${JSON.stringify(peer)}` : "") +
      attributesMember("attributes", span.attributes) +
      (span.events.length === 0 ? "" : `,"events":[${span.events.map(eventJson).join(",")}]`) +
      (span.links.length === 0 ? "" : `,"links":[${span.links.map(linkJson).join(",")}]`) +
      exactMember(span) +
      searchMember(searchWords(span.name), attributeTerms("a", span.attributes), resource.terms) +
      "}";
    return { index: indexName(ms), id, source };
  });
}

const eventJson = ({ timeUnixNano, name, attributes }: SpanEvent): string =>
  `{"time_unix_nano":"${timeUnixNano}","name":${JSON.stringify(name)},"attributes":${plainJson(attributes)}}`;

const linkJson = ({ traceId, spanId, traceState, attributes }: SpanLink): string =>
  `{"trace_id":"${traceId}","span_id":"${spanId}","trace_state":${JSON.stringify(traceState)},"attributes":${plainJson(attributes)}}`;

/** Every map of attributes that a span has, in a fixed order. */
const attributeMaps = (span: Span): Attributes[] => [
  span.attributes,
  span.resource.attributes,
  span.scope.attributes,
  ...span.events.map(({ attributes }) => attributes),
  ...span.links.map(({ attributes }) => attributes),
];

/** JSON has no bytes, large integers or infinities: where a span has some, its attributes are kept once more as they are. */
function exactMember(span: Span): string {
  const maps = attributeMaps(span);
  return maps.every((map) => isPlain(map)) ? "" : `,"exact":${JSON.stringify(encodeValue(maps))}`;
}

function isPlain(value: AttributeValue): boolean {
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value === "bigint" || value instanceof Uint8Array) return false;
  return typeof value !== "object" || value === null || Object.values(value).every(isPlain);
}

export interface StoredSpan extends StoredDocument {
  end_unix_nano: string;
  duration_ms: number;
  trace_id: string;
  span_id: string;
  parent_span_id?: string;
  trace_state?: string;
  flags: number;
  name: string;
  kind: (typeof SPAN_KINDS)[number];
  status: (typeof SPAN_STATUSES)[number];
  status_message?: string;
  scope_version?: string;
  scope_attributes?: Record<string, unknown>;
  events?: { time_unix_nano: string; name: string; attributes: Attributes }[];
  links?: { trace_id: string; span_id: string; trace_state: string; attributes: Attributes }[];
  exact?: string;
}

export function toSpan(stored: StoredSpan): Span {
  const span: Span = {
    traceId: stored.trace_id,
    spanId: stored.span_id,
    parentSpanId: stored.parent_span_id ?? "",
    traceState: stored.trace_state ?? "",
    flags: stored.flags,
    name: stored.name,
    kind: SPAN_KINDS.indexOf(stored.kind) as SpanKind,
    startTimeUnixNano: joinTime(Date.parse(stored["@timestamp"]), stored.nanos),
    endTimeUnixNano: BigInt(stored.end_unix_nano),
    attributes: attributesOf(stored) as Attributes,
    events: (stored.events ?? []).map(({ time_unix_nano: time, name, attributes }) => ({
      timeUnixNano: BigInt(time),
      name,
      attributes,
    })),
    links: (stored.links ?? []).map(({ trace_id: traceId, span_id: spanId, trace_state: traceState, attributes }) => ({
      traceId,
      spanId,
      traceState,
      attributes,
    })),
    status: {
      code: SPAN_STATUSES.indexOf(stored.status) as StatusCode,
      message: stored.status_message ?? "",
    },
    resource: { attributes: resourceOf(stored) as Attributes },
    scope: {
      name: stored.scope ?? "",
      version: stored.scope_version ?? "",
      attributes: (stored.scope_attributes ?? {}) as Attributes,
    },
  };
  return stored.exact === undefined ? span : withExact(span, decodeValue(stored.exact) as Attributes[]);
}

function withExact(span: Span, maps: readonly Attributes[]): Span {
  const [attributes, resource, scope, ...rest] = maps as [Attributes, Attributes, Attributes, ...Attributes[]];
  const nth = (i: number): Attributes => rest[i] ?? {};
  return {
    ...span,
    attributes,
    resource: { attributes: resource },
    scope: { ...span.scope, attributes: scope },
    events: span.events.map((event, i) => ({ ...event, attributes: nth(i) })),
    links: span.links.map((link, i) => ({ ...link, attributes: nth(span.events.length + i) })),
  };
}
