import { formatFloatPlain } from "../float-text.ts";
import { labelsKey, METRIC_NAME, type Labels } from "../labels.ts";
import { valueText } from "../search/match.ts";
import type { Exemplar, MetricMetadata, MetricType, NativeHistogram, Sample, WriteRequest } from "../series.ts";
import type {
  Attributes,
  ExponentialHistogramPoint,
  HistogramPoint,
  Metric,
  NumberPoint,
  OtlpExemplar,
  Resource,
  Scope,
  SummaryPoint,
} from "../signal.ts";
import { msToNano, nanoToMs } from "../time.ts";
import { prometheusLabelName, prometheusName, unitWords } from "./prometheus-names.ts";

/** What a translation had to leave out, by reason. */
export interface Dropped {
  [reason: string]: number;
}

export interface OtlpToSamplesOptions {
  /** Resource attributes that become labels of every series; the others are on `target_info` only. Default none. */
  promoteResourceAttributes?: readonly string[];
}

/** Keys of `Metric.metadata` by which scraped metrics are known. */
const TYPE_KEY = "prometheus.type";
const FAMILY_KEY = "prometheus.family";
/** Data point flag: no recorded value. */
const STALE_FLAG = 1;
const MAX_SCHEMA = 8;
const MIN_SCHEMA = -4;
const CUSTOM_BUCKETS_SCHEMA = -53;
/** What Prometheus takes where OTLP leaves the zero threshold open. */
const DEFAULT_ZERO_THRESHOLD = 1e-128;
const SUFFIXES = ["_total", "_bucket", "_sum", "_count", "_created", "_info", "_gsum", "_gcount"];
const EMPTY_SCOPE: Scope = { name: "", version: "", attributes: {} };

/**
 * Prometheus samples as OTLP metrics, so that scraped data travels the bus like everything else.
 *
 * One Metric per metric name and target, named exactly as the series is (`x_bucket`, `x_sum`, …): plain number points,
 * every label but `__name__` as a data point attribute. `Metric.metadata` says that the name is final: `prometheus.type`
 * is the type of the family, `prometheus.family` its name where that differs; help and unit are the metric's description
 * and unit. A stale sample is a point with flag 1. `job` and `instance` are also the resource's service.name and
 * service.instance.id. Native histograms are exponential histogram points (custom buckets: histogram points) with the
 * same metadata; those with fractional counts are left out as `float_histogram`. `otlpToSamples` undoes all of it;
 * exemplars come back by series, metadata only of families that have series.
 */
export function samplesToOtlp(request: WriteRequest): { metrics: Metric[]; dropped: Dropped } {
  const families = new Map((request.metadata ?? []).map((entry) => [entry.metric, entry]));
  const resources = new Map<string, Resource>();
  const metrics = new Map<string, Metric>();
  const dropped: Dropped = {};
  for (const series of request.series) {
    const { [METRIC_NAME]: name = "", ...attributes } = series.labels;
    const resourceKey = `${attributes["job"] ?? ""}\xff${attributes["instance"] ?? ""}`;
    let resource = resources.get(resourceKey);
    if (!resource) resources.set(resourceKey, (resource = toResource(attributes)));
    const exemplars = (series.exemplars ?? []).map(toOtlpExemplar);
    if (exemplars.length > 0 && series.samples.length === 0)
      count(dropped, "exemplar_without_sample", exemplars.length);
    for (const [i, sample] of series.samples.entries()) {
      const shape = shapeOf(sample);
      if (sample.histogram && !hasWholeCounts(sample.histogram)) {
        count(dropped, "float_histogram");
        continue;
      }
      const key = `${resourceKey}\xff${shape}\xff${name}`;
      let metric = metrics.get(key);
      if (!metric) metrics.set(key, (metric = newMetric(name, shape, familyOf(name, families), resource)));
      const last = i === series.samples.length - 1;
      addPoint(metric, { ...attributes }, sample, last ? exemplars : []);
    }
  }
  return { metrics: [...metrics.values()], dropped };
}

function toResource(labels: Labels): Resource {
  const { job, instance } = labels;
  return {
    attributes: {
      ...(job !== undefined && { "service.name": job }),
      ...(instance !== undefined && { "service.instance.id": instance }),
    },
  };
}

type Shape = "number" | "exponential" | "exponentialGauge" | "custom" | "customGauge";

function shapeOf(sample: Sample): Shape {
  if (!sample.histogram) return "number";
  const gauge = sample.histogram.counterReset === "gauge";
  if (sample.histogram.schema === CUSTOM_BUCKETS_SCHEMA) return gauge ? "customGauge" : "custom";
  return gauge ? "exponentialGauge" : "exponential";
}

function hasWholeCounts(histogram: NativeHistogram): boolean {
  const counts = [histogram.count, histogram.zeroCount, ...histogram.positiveBuckets, ...histogram.negativeBuckets];
  return counts.every((value) => Number.isSafeInteger(value) && value >= 0);
}

/** The family that a series belongs to: its own name's, or that of the name without a suffix. */
function familyOf(name: string, families: ReadonlyMap<string, MetricMetadata>): MetricMetadata | undefined {
  const exact = families.get(name);
  if (exact) return exact;
  const suffix = SUFFIXES.find((suffix) => name.endsWith(suffix));
  return suffix === undefined ? undefined : families.get(name.slice(0, -suffix.length));
}

function newMetric(name: string, shape: Shape, family: MetricMetadata | undefined, resource: Resource): Metric {
  const head = {
    name,
    description: family?.help ?? "",
    unit: family?.unit ?? "",
    metadata: {
      [TYPE_KEY]: family?.type ?? "unknown",
      ...(family && family.metric !== name && { [FAMILY_KEY]: family.metric }),
    },
    resource,
    scope: EMPTY_SCOPE,
  };
  switch (shape) {
    case "exponential":
    case "exponentialGauge":
      return { ...head, type: "exponentialHistogram", temporality: shape === "exponential" ? 2 : 0, points: [] };
    case "custom":
    case "customGauge":
      return { ...head, type: "histogram", temporality: shape === "custom" ? 2 : 0, points: [] };
    case "number":
      return family?.type === "counter" && !name.endsWith("_created")
        ? { ...head, type: "sum", monotonic: true, temporality: 2, points: [] }
        : { ...head, type: "gauge", points: [] };
  }
}

function addPoint(metric: Metric, attributes: Attributes, sample: Sample, exemplars: OtlpExemplar[]): void {
  const head = {
    attributes,
    startTimeUnixNano: sample.startTimestampMs === undefined ? 0n : msToNano(sample.startTimestampMs),
    timeUnixNano: msToNano(sample.timestampMs),
    flags: sample.stale ? STALE_FLAG : 0,
    exemplars,
  };
  if (metric.type === "gauge" || metric.type === "sum") {
    metric.points.push({ ...head, value: sample.stale ? 0 : sample.value });
  } else if (metric.type === "exponentialHistogram" && sample.histogram) {
    metric.points.push({ ...head, ...toExponential(sample.histogram) });
  } else if (metric.type === "histogram" && sample.histogram) {
    metric.points.push({ ...head, ...toExplicit(sample.histogram) });
  }
}

/** OTLP's bucket i reaches from base^i to base^(i+1), Prometheus' from base^(i-1) to base^i. */
function toExponential(histogram: NativeHistogram) {
  return {
    count: histogram.count,
    sum: histogram.sum,
    scale: histogram.schema,
    zeroCount: histogram.zeroCount,
    zeroThreshold: histogram.zeroThreshold,
    positive: { offset: histogram.positiveOffset - 1, bucketCounts: histogram.positiveBuckets },
    negative: { offset: histogram.negativeOffset - 1, bucketCounts: histogram.negativeBuckets },
    min: undefined,
    max: undefined,
  };
}

function toExplicit(histogram: NativeHistogram) {
  const bucketCounts = Array.from({ length: histogram.customValues.length + 1 }, () => 0);
  for (const [i, value] of histogram.positiveBuckets.entries()) bucketCounts[histogram.positiveOffset + i] = value;
  return {
    count: histogram.count,
    sum: histogram.sum,
    bucketCounts,
    explicitBounds: histogram.customValues,
    min: undefined,
    max: undefined,
  };
}

function toOtlpExemplar(exemplar: Exemplar): OtlpExemplar {
  const filteredAttributes: Attributes = {};
  const ids = { traceId: "", spanId: "" };
  for (const [name, value] of Object.entries(exemplar.labels)) {
    if (name === "trace_id" && isId(value, 32)) ids.traceId = value;
    else if (name === "span_id" && isId(value, 16)) ids.spanId = value;
    else filteredAttributes[name] = value;
  }
  return { timeUnixNano: msToNano(exemplar.timestampMs), value: exemplar.value, ...ids, filteredAttributes };
}

/** Hex as we write it, so that reading it back gives the same label. */
function isId(text: string, digits: number): boolean {
  return text.length === digits && /^[0-9a-f]+$/.test(text) && !/^0+$/.test(text);
}

/**
 * OTLP metrics as what a metric store takes. Metrics that `samplesToOtlp` made get their names, labels and staleness
 * back. All others are named as Prometheus 3 names them on its OTLP endpoint (UnderscoreEscapingWithSuffixes): dots to
 * underscores, unit and `_total` suffixes, `job` and `instance` from the resource, the rest of the resource on
 * `target_info`. Left out and counted (in points): `delta` temporality, `temporality` that is unspecified, `scale` of
 * exponential histograms below −4, `name` of which nothing valid is left, `no_timestamp`. Exponential histograms become
 * native ones, brought down to schema 8 where they are finer.
 */
export function otlpToSamples(
  metrics: readonly Metric[],
  options: OtlpToSamplesOptions = {},
): { request: WriteRequest; dropped: Dropped } {
  const output = new Output();
  const targets = new Map<Resource, Target>();
  for (const metric of metrics) {
    const type = metric.metadata[TYPE_KEY];
    if (typeof type === "string") {
      addScraped(output, metric, type);
      continue;
    }
    let target = targets.get(metric.resource);
    if (!target) targets.set(metric.resource, (target = newTarget(metric.resource, options)));
    addPushed(output, metric, target);
  }
  for (const target of targets.values()) addTargetInfo(output, target);
  return output.finish();
}

type MutableLabels = Record<string, string>;

/** Collects series by their labels. */
class Output {
  readonly dropped: Dropped = {};
  readonly #series = new Map<string, { labels: Labels; samples: Sample[]; exemplars: Exemplar[] }>();
  readonly #metadata = new Map<string, MetricMetadata>();

  add(labels: Labels, sample: Sample, exemplars: readonly OtlpExemplar[] = []): void {
    const key = labelsKey(labels);
    let series = this.#series.get(key);
    if (!series) this.#series.set(key, (series = { labels, samples: [], exemplars: [] }));
    series.samples.push(sample);
    for (const exemplar of exemplars) series.exemplars.push(fromOtlpExemplar(exemplar));
  }

  describe(entry: MetricMetadata): void {
    if (!this.#metadata.has(entry.metric)) this.#metadata.set(entry.metric, entry);
  }

  drop(reason: string, points: number): void {
    if (points > 0) count(this.dropped, reason, points);
  }

  finish(): { request: WriteRequest; dropped: Dropped } {
    const series = [...this.#series.values()].map(({ labels, samples, exemplars }) =>
      exemplars.length > 0 ? { labels, samples, exemplars } : { labels, samples },
    );
    return { request: { series, metadata: [...this.#metadata.values()] }, dropped: this.dropped };
  }
}

const METRIC_TYPES = [
  "counter",
  "gauge",
  "histogram",
  "gaugehistogram",
  "summary",
  "info",
  "stateset",
  "unknown",
] as const;

function addScraped(output: Output, metric: Metric, typeText: string): void {
  const type: MetricType = METRIC_TYPES.find((known) => known === typeText) ?? "unknown";
  const family = metric.metadata[FAMILY_KEY];
  if (type !== "unknown" || metric.description !== "" || metric.unit !== "") {
    output.describe({
      metric: typeof family === "string" ? family : metric.name,
      type,
      unit: metric.unit,
      help: metric.description,
    });
  }
  for (const point of metric.points) {
    const labels: MutableLabels = {};
    for (const key in point.attributes) labels[key] = valueText(point.attributes[key] ?? "");
    labels[METRIC_NAME] = metric.name;
    const exemplars = "exemplars" in point ? point.exemplars : [];
    output.add(labels, toSample(metric, point), exemplars);
  }
}

function toSample(metric: Metric, point: Metric["points"][number]): Sample {
  const head = {
    timestampMs: nanoToMs(point.timeUnixNano),
    ...(point.startTimeUnixNano !== 0n && { startTimestampMs: nanoToMs(point.startTimeUnixNano) }),
  };
  if (isStale(point)) return { ...head, value: Number.NaN, stale: true };
  if ("value" in point) return { ...head, value: point.value };
  const counterReset = "temporality" in metric && metric.temporality === 0 ? "gauge" : "unknown";
  if ("scale" in point)
    return { ...head, value: 0, histogram: { ...toNative(point, point.zeroThreshold), counterReset } };
  if ("explicitBounds" in point) return { ...head, value: 0, histogram: { ...toCustom(point), counterReset } };
  return { ...head, value: point.sum };
}

const isStale = (point: { flags: number }) => (point.flags & STALE_FLAG) !== 0;

/** A resource of pushed metrics, with what every one of its series gets. */
interface Target {
  resource: Resource;
  /** Set over the point's attributes. */
  identity: MutableLabels;
  /** Added where the point has no such label. */
  promoted: MutableLabels;
  latestMs: number;
}

function newTarget(resource: Resource, options: OtlpToSamplesOptions): Target {
  const {
    "service.name": service,
    "service.namespace": namespace,
    "service.instance.id": instance,
  } = resource.attributes;
  const identity: MutableLabels = {};
  if (service !== undefined) {
    identity["job"] = namespace === undefined ? valueText(service) : `${valueText(namespace)}/${valueText(service)}`;
  }
  if (instance !== undefined) identity["instance"] = valueText(instance);
  const promoted: Attributes = {};
  for (const key of options.promoteResourceAttributes ?? []) {
    const value = resource.attributes[key];
    if (value !== undefined) promoted[key] = value;
  }
  return { resource, identity, promoted: toLabels(promoted), latestMs: 0 };
}

/** Attributes whose names become the same label are joined with `;` in the order of their names. */
function toLabels(attributes: Attributes): MutableLabels {
  const labels: MutableLabels = {};
  for (const key of Object.keys(attributes).sort()) {
    const name = prometheusLabelName(key);
    if (name === "") continue;
    const value = valueText(attributes[key] ?? "");
    labels[name] = Object.hasOwn(labels, name) ? `${labels[name]};${value}` : value;
  }
  return labels;
}

function addPushed(output: Output, metric: Metric, target: Target): void {
  const translated = translation(metric);
  if ("dropped" in translated) {
    output.drop(translated.dropped, metric.points.length);
    return;
  }
  const { name, type } = translated;
  const { main, per } = unitWords(metric.unit);
  output.describe({ metric: name, type, unit: [main, per].filter(Boolean).join("_"), help: metric.description });
  for (const point of metric.points) {
    if (point.timeUnixNano === 0n) {
      output.drop("no_timestamp", 1);
      continue;
    }
    const labels = { ...target.promoted, ...toLabels(point.attributes), ...target.identity };
    for (const key in labels) if (labels[key] === "") delete labels[key];
    const add = pointWriter(output, name, labels, point);
    if (metric.type === "summary") addSummary(add, point as SummaryPoint);
    else if (metric.type === "histogram") addHistogram(add, point as HistogramPoint);
    else if (metric.type === "exponentialHistogram") addExponential(output, add, point as ExponentialHistogramPoint);
    else add("", {}, (point as NumberPoint).value, (point as NumberPoint).exemplars);
    target.latestMs = Math.max(target.latestMs, nanoToMs(point.timeUnixNano));
  }
}

/** The family's name and type, or why it cannot be had. */
function translation(metric: Metric): { name: string; type: MetricType } | { dropped: string } {
  if ("temporality" in metric && metric.temporality !== 2) {
    return { dropped: metric.temporality === 1 ? "delta" : "temporality" };
  }
  const counter = metric.type === "sum" && metric.monotonic;
  const kind = counter ? "counter" : metric.type === "gauge" || metric.type === "sum" ? "gauge" : "other";
  // A sum that may fall is stored as a gauge but, unlike a gauge, is no ratio.
  const name = prometheusName(metric.name, metric.unit, metric.type === "sum" && !counter ? "other" : kind);
  if (name === "") return { dropped: "name" };
  if (kind !== "other") return { name, type: kind };
  return { name, type: metric.type === "summary" ? "summary" : "histogram" };
}

type AddSample = (
  suffix: string,
  extra: MutableLabels,
  value: number | NativeHistogram,
  exemplars?: readonly OtlpExemplar[],
) => void;

/** Adds the samples of one point, all at its time, all stale when the point is. */
function pointWriter(output: Output, name: string, labels: MutableLabels, point: Metric["points"][number]): AddSample {
  const head = {
    timestampMs: nanoToMs(point.timeUnixNano),
    ...(point.startTimeUnixNano !== 0n && { startTimestampMs: nanoToMs(point.startTimeUnixNano) }),
  };
  return (suffix, extra, value, exemplars) => {
    const sample: Sample = isStale(point)
      ? { ...head, value: Number.NaN, stale: true }
      : typeof value === "number"
        ? { ...head, value }
        : { ...head, value: 0, histogram: value };
    output.add({ ...labels, ...extra, [METRIC_NAME]: name + suffix }, sample, exemplars);
  };
}

function addSummary(add: AddSample, point: SummaryPoint): void {
  add("_sum", {}, point.sum);
  add("_count", {}, point.count);
  for (const { quantile, value } of point.quantiles) add("", { quantile: formatFloatPlain(quantile) }, value);
}

function addHistogram(add: AddSample, point: HistogramPoint): void {
  if (point.sum !== undefined) add("_sum", {}, point.sum);
  add("_count", {}, point.count);
  const bounds = point.explicitBounds.slice(0, point.bucketCounts.length);
  let cumulative = 0;
  let below = -Infinity;
  for (const [i, bound] of bounds.entries()) {
    cumulative += point.bucketCounts[i] ?? 0;
    add("_bucket", { le: formatFloatPlain(bound) }, cumulative, exemplarsWithin(point.exemplars, below, bound));
    below = bound;
  }
  add("_bucket", { le: "+Inf" }, point.count, exemplarsWithin(point.exemplars, below, Infinity));
}

function exemplarsWithin(exemplars: readonly OtlpExemplar[], above: number, upTo: number): readonly OtlpExemplar[] {
  return exemplars.length === 0 ? exemplars : exemplars.filter(({ value }) => value > above && value <= upTo);
}

function addExponential(output: Output, add: AddSample, point: ExponentialHistogramPoint): void {
  if (point.scale < MIN_SCHEMA) {
    output.drop("scale", 1);
    return;
  }
  const zeroThreshold = point.zeroThreshold === 0 ? DEFAULT_ZERO_THRESHOLD : point.zeroThreshold;
  add("", {}, { ...toNative(point, zeroThreshold), counterReset: "unknown" }, point.exemplars);
}

function toNative(point: ExponentialHistogramPoint, zeroThreshold: number): Omit<NativeHistogram, "counterReset"> {
  const shift = Math.max(0, point.scale - MAX_SCHEMA);
  const positive = downscale(point.positive, shift);
  const negative = downscale(point.negative, shift);
  return {
    schema: point.scale - shift,
    count: point.count,
    sum: point.sum ?? 0,
    zeroThreshold,
    zeroCount: point.zeroCount,
    positiveOffset: positive.offset + 1,
    positiveBuckets: positive.bucketCounts,
    negativeOffset: negative.offset + 1,
    negativeBuckets: negative.bucketCounts,
    customValues: [],
  };
}

/** Merges 2^shift neighbouring buckets into one. */
function downscale(
  buckets: ExponentialHistogramPoint["positive"],
  shift: number,
): ExponentialHistogramPoint["positive"] {
  if (shift === 0) return buckets;
  // A shift of 31 already merges everything on one side of 1; more would wrap.
  const bits = Math.min(shift, 31);
  const offset = buckets.offset >> bits;
  const bucketCounts: number[] = [];
  for (const [i, value] of buckets.bucketCounts.entries()) {
    const index = ((buckets.offset + i) >> bits) - offset;
    bucketCounts[index] = (bucketCounts[index] ?? 0) + value;
  }
  return { offset, bucketCounts };
}

function toCustom(point: HistogramPoint): Omit<NativeHistogram, "counterReset"> {
  return {
    schema: CUSTOM_BUCKETS_SCHEMA,
    count: point.count,
    sum: point.sum ?? 0,
    zeroThreshold: 0,
    zeroCount: 0,
    positiveOffset: 0,
    positiveBuckets: point.bucketCounts,
    negativeOffset: 0,
    negativeBuckets: [],
    customValues: point.explicitBounds,
  };
}

function fromOtlpExemplar(exemplar: OtlpExemplar): Exemplar {
  const labels: MutableLabels = {};
  if (exemplar.traceId !== "") labels["trace_id"] = exemplar.traceId;
  if (exemplar.spanId !== "") labels["span_id"] = exemplar.spanId;
  for (const [key, value] of Object.entries(exemplar.filteredAttributes)) labels[key] = valueText(value);
  return { labels, value: exemplar.value, timestampMs: nanoToMs(exemplar.timeUnixNano) };
}

const IDENTIFYING = new Set(["service.name", "service.namespace", "service.instance.id"]);

/** What is left of the resource, so that it can be joined on job and instance. */
function addTargetInfo(output: Output, target: Target): void {
  if (target.latestMs === 0 || Object.keys(target.identity).length === 0) return;
  const rest = Object.entries(target.resource.attributes).filter(([key]) => !IDENTIFYING.has(key));
  if (rest.length === 0) return;
  output.describe({ metric: "target_info", type: "gauge", unit: "", help: "Target metadata" });
  const labels = { ...toLabels(Object.fromEntries(rest)), ...target.identity };
  for (const key in labels) if (labels[key] === "") delete labels[key];
  output.add({ ...labels, [METRIC_NAME]: "target_info" }, { timestampMs: target.latestMs, value: 1 });
}

function count(into: Dropped, reason: string, by = 1): void {
  into[reason] = (into[reason] ?? 0) + by;
}
