import type { Attributes, LogRecord, Span } from "@tocsin/model";
import { decodeLogs, decodeTraces } from "@tocsin/model/otlp";
import { exposition } from "./metrics/exposition.ts";
import { createTelemetry, type TelemetryOptions } from "./telemetry.ts";

export interface SpanExpectation {
  name?: string | RegExp;
  /** Attributes it must have; it may have more. */
  attributes?: Attributes;
  /** Whether its status is error. */
  error?: boolean;
}

export interface LogExpectation {
  message?: string | RegExp;
  /** `INFO`, `ERROR`, … */
  severity?: string;
  attributes?: Attributes;
}

/** Telemetry that stays in memory, with finders that say what there was when they find nothing. */
export interface TestTelemetry {
  /** Everything so far, oldest first. */
  spans(): Promise<Span[]>;
  logs(): Promise<LogRecord[]>;
  /** The first span that fits; throws an Error that lists all spans when none does. */
  expectSpan(expected: SpanExpectation): Promise<Span>;
  expectLog(expected: LogExpectation): Promise<LogRecord>;
  /** The value of a series as `/metrics` shows it; labels must be a part of the series' labels. */
  expectMetric(name: string, labels?: Record<string, string>): Promise<number>;
  /** Forgets spans and logs. Metrics go on counting. */
  reset(): Promise<void>;
  /** Must be called before the next test telemetry is started. */
  stop(): Promise<void>;
}

/**
 * Starts the SDK with an exporter that keeps everything in memory.
 *
 * ```ts
 * const telemetry = startTestTelemetry();
 * await app.inject("/orders/7");
 * await telemetry.expectLog({ message: "order read", severity: "INFO" });
 * await telemetry.stop();
 * ```
 */
export function startTestTelemetry(options: Pick<TelemetryOptions, "serviceName" | "env"> = {}): TestTelemetry {
  const spans: Span[] = [];
  const logs: LogRecord[] = [];
  const telemetry = createTelemetry({
    env: {},
    ...options,
    say() {},
    handleProcessEnd: false,
    transport: (signal) => async (body) => {
      if (signal === "traces") spans.push(...decodeTraces(body));
      else logs.push(...decodeLogs(body));
      return { status: "ok", rejected: 0, reason: "" };
    },
  });
  const flushed = async <T>(records: readonly T[]): Promise<T[]> => {
    await telemetry.flush(1000);
    return [...records];
  };
  return {
    spans: () => flushed(spans),
    logs: () => flushed(logs),
    async expectSpan(expected) {
      const all = await flushed(spans);
      const found = all.find((span) => spanFits(span, expected));
      return found ?? missing("span", expected, all.map(describeSpan));
    },
    async expectLog(expected) {
      const all = await flushed(logs);
      const found = all.find((log) => logFits(log, expected));
      return found ?? missing("log", expected, all.map(describeLog));
    },
    async expectMetric(name, labels = {}) {
      const lines = (await exposition(telemetry.registries(), "text")).split("\n");
      const family = lines.filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
      const wanted = Object.entries(labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
      const found = family.find((line) =>
        wanted.every((pair) => line.includes(`{${pair}`) || line.includes(`,${pair}`)),
      );
      return found === undefined ? missing("metric", { name, labels }, family) : Number(found.split(" ").at(-1));
    },
    async reset() {
      await telemetry.flush(1000);
      spans.length = 0;
      logs.length = 0;
    },
    stop: () => telemetry.stop(1000),
  };
}

function spanFits(span: Span, { name, attributes, error }: SpanExpectation): boolean {
  return (
    textFits(span.name, name) &&
    attributesFit(span.attributes, attributes) &&
    (error === undefined || (span.status.code === 2) === error)
  );
}

function logFits(log: LogRecord, { message, severity, attributes }: LogExpectation): boolean {
  return (
    textFits(bodyText(log), message) &&
    (severity === undefined || log.severityText === severity) &&
    attributesFit(log.attributes, attributes)
  );
}

const textFits = (text: string, expected: string | RegExp | undefined): boolean =>
  expected === undefined || (typeof expected === "string" ? text === expected : expected.test(text));

const attributesFit = (attributes: Attributes, expected: Attributes = {}): boolean =>
  Object.entries(expected).every(([key, value]) => show(attributes[key]) === show(value));

const bodyText = ({ body }: LogRecord): string => (typeof body === "string" ? body : show(body));
const describeSpan = (span: Span): string => `${span.name} ${show(span.attributes)}`;
const describeLog = (log: LogRecord): string => `${log.severityText} ${bodyText(log)} ${show(log.attributes)}`;

const show = (value: unknown): string =>
  JSON.stringify(value, (_key, part: unknown) => (typeof part === "bigint" ? Number(part) : part)) ?? "undefined";

function missing(what: string, expected: object, found: readonly string[]): never {
  const regexAware = JSON.stringify(expected, (_key, part: unknown) => (part instanceof RegExp ? String(part) : part));
  const list = found.length === 0 ? " there is none at all" : `\n  ${found.join("\n  ")}`;
  throw new Error(`no ${what} fits ${regexAware}; found:${list}`);
}
