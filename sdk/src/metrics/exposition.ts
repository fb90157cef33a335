import type { MetricObject, Registry } from "prom-client";

export type ExpositionFormat = "text" | "openmetrics";

export const CONTENT_TYPE = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const satisfies Record<ExpositionFormat, string>;

/** What a scraper asks for; OpenMetrics is the only format that can carry exemplars. */
export function negotiate(accept: string | undefined): ExpositionFormat {
  return accept !== undefined &&
    /application\/openmetrics-text/i.test(accept) &&
    !/openmetrics-text[^,]*;\s*q=0(\.0*)?\s*(,|$)/i.test(accept)
    ? "openmetrics"
    : "text";
}

interface ExemplarValue {
  labelSet: Record<string, string>;
  value: number;
  /** Seconds. */
  timestamp: number;
}

/** What `get()` of any prom-client metric gives; the declared types know neither `metricName` nor `exemplar`. */
interface MetricData {
  name: string;
  help: string;
  type: string;
  values: {
    metricName?: string;
    labels: Record<string, string | number>;
    value: number;
    exemplar?: ExemplarValue | null;
  }[];
}

/**
 * Writes the metrics of several registries as one page; of two metrics with one name, the first registry's counts.
 *
 * prom-client's own OpenMetrics output renames the app's counters for good (15.1.3, `Registry.metrics`), and its format
 * is a property of the registry, so that two scrapers with different wishes would disturb each other.
 */
export async function exposition(registries: readonly Registry[], format: ExpositionFormat): Promise<string> {
  const metrics = new Map<string, MetricObject>();
  for (const registry of registries) {
    for (const metric of registry.getMetricsAsArray()) {
      if (!metrics.has(metric.name)) metrics.set(metric.name, metric);
    }
  }
  const families = await Promise.all(
    [...metrics.values()].map(async (metric) => {
      // `get` is on every metric class but not in the declared type.
      const data = await (metric as unknown as { get(): Promise<MetricData> }).get();
      return format === "text" ? writeText(data) : writeOpenMetrics(data);
    }),
  );
  return families.join("") + (format === "openmetrics" ? "# EOF\n" : "");
}

function writeText({ name, help, type, values }: MetricData): string {
  let text = `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n`;
  for (const { metricName = name, labels, value } of values) {
    text += `${metricName}${formatLabels(labels)} ${formatValue(value)}\n`;
  }
  return text;
}

/** OpenMetrics 1.0: a counter's family has no `_total`, its sample always has; exemplars on counters and buckets. */
function writeOpenMetrics({ name, help, type, values }: MetricData): string {
  const isCounter = type === "counter";
  const family = isCounter ? name.replace(/_total$/, "") : name;
  let text = `# TYPE ${family} ${type}\n# HELP ${family} ${escapeHelp(help).replaceAll('"', '\\"')}\n`;
  for (const { metricName = name, labels, value, exemplar } of values) {
    const sample = isCounter ? `${family}_total` : metricName;
    text += `${sample}${formatLabels(labels, true)} ${formatValue(value)}`;
    if (exemplar && exemplar.value !== null) {
      text += ` # ${formatLabels(exemplar.labelSet) || "{}"} ${formatValue(exemplar.value)} ${exemplar.timestamp}`;
    }
    text += "\n";
  }
  return text;
}

function formatLabels(labels: Record<string, string | number>, canonicalLe = false): string {
  let text = "";
  for (const [name, value] of Object.entries(labels)) {
    // OpenMetrics wants `le` and `quantile` as floats: 1.0, not 1.
    const isBound = canonicalLe && (name === "le" || name === "quantile") && Number.isInteger(value);
    text += `${text === "" ? "" : ","}${name}="${isBound ? `${value}.0` : escapeLabel(String(value))}"`;
  }
  return text === "" ? "" : `{${text}}`;
}

function formatValue(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

const escapeHelp = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const escapeLabel = (text: string): string => (/["\\\n]/.test(text) ? escapeHelp(text).replaceAll('"', '\\"') : text);
