import { compareLabels, formatFloatPlain, type Labels, METRIC_NAME, sortedNames, type UnixMs } from "@tocsin/model";
import type { SeriesData } from "@tocsin/promql";
import type { MetricStore } from "../metrics/metric-store.ts";
import type { Parameters } from "./parameters.ts";

const LOOKBACK_MS = 5 * 60_000;
const PLAIN_METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const PLAIN_LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;

export const FEDERATE_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/**
 * The newest float sample of every series that fulfils one of `match[]`, in the text format, for another Prometheus to
 * scrape. Series that ended, that are older than five minutes, or whose newest sample is a native histogram (which the
 * format cannot say) are left out.
 */
export async function federate(parameters: Parameters, store: MetricStore, nowMs: UnixMs): Promise<string> {
  const newest = new Map<string, { labels: Labels; line: string }>();
  for (const matchers of parameters.scope().matcherSets) {
    for (const series of await store.select(matchers, nowMs - LOOKBACK_MS, nowMs)) {
      const line = lineOf(series);
      if (line !== undefined) newest.set(line, { labels: series.labels, line });
    }
  }
  const sorted = [...newest.values()].sort((a, b) => compareLabels(a.labels, b.labels));
  const families = Map.groupBy(sorted, ({ labels }) => labels[METRIC_NAME] ?? "");
  return [...families]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, members]) => `# TYPE ${metricText(name)} untyped\n${members.map(({ line }) => line).join("")}`)
    .join("");
}

function lineOf({ labels, timestamps, values, stale, histograms }: SeriesData): string | undefined {
  const last = timestamps.length - 1;
  if (last < 0 || stale?.[last] || histograms?.[last]) return undefined;
  return `${seriesText(labels)} ${formatFloatPlain(values[last] ?? Number.NaN)} ${timestamps[last]}\n`;
}

/** `name{a="x"}`; a name that the old format cannot say stands quoted inside the braces. */
function seriesText(labels: Labels): string {
  const name = labels[METRIC_NAME] ?? "";
  const plain = PLAIN_METRIC.test(name);
  const pairs = sortedNames(labels)
    .filter((label) => label !== METRIC_NAME)
    .map((label) => `${PLAIN_LABEL.test(label) ? label : quoted(label)}=${quoted(labels[label] ?? "")}`);
  const inside = plain ? pairs : [quoted(name), ...pairs];
  return `${plain ? name : ""}${inside.length > 0 ? `{${inside.join(",")}}` : ""}`;
}

function metricText(name: string): string {
  return PLAIN_METRIC.test(name) ? name : quoted(name);
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"')}"`;
}
