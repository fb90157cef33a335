import { type Attributes, type Span, SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import type { Registry } from "prom-client";
import { readConfig } from "./config.ts";
import { createTelemetry, type Telemetry, type TelemetryOptions } from "./telemetry.ts";

/** The one telemetry of this process, shared by both ways in: `--import @tocsin/sdk/register` and `startTelemetry`. */
const slot = globalThis as { [key: symbol]: Telemetry | undefined };
const RUNNING = Symbol.for("tocsin.telemetry");

/**
 * Starts metrics, traces and logs. Does nothing when they run already, or when `OTEL_SDK_DISABLED` is `true`.
 * Settings come from the `OTEL_…` environment variables. `--import @tocsin/sdk/register` calls this.
 */
export function startTelemetry(options: TelemetryOptions = {}): void {
  if (slot[RUNNING] !== undefined || readConfig(options.env ?? process.env).config.disabled) return;
  slot[RUNNING] = createTelemetry(options);
}

/** Sends what is queued, within two seconds, and stops. Does nothing when nothing runs. */
export async function shutdownTelemetry(): Promise<void> {
  const telemetry = slot[RUNNING];
  slot[RUNNING] = undefined;
  await telemetry?.stop(2000);
}

/**
 * The registry with the SDK's own metrics (RED, Node runtime, exporters); undefined while telemetry is off. An app that
 * answers `/metrics` itself merges it into its page: `Registry.merge([register, metricsRegistry()])`.
 */
export function metricsRegistry(): Registry | undefined {
  return slot[RUNNING]?.registry;
}

export interface SpanOptions {
  /** `internal` unless given. */
  kind?: "internal" | "server" | "client" | "producer" | "consumer";
  attributes?: Attributes;
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

/**
 * Runs `fn` inside a span, which is active for what `fn` calls and ends when `fn` returns or its promise settles. What
 * `fn` throws is recorded on the span and thrown on.
 *
 * ```ts
 * const receipt = await withSpan("charge card", () => payments.charge(order));
 * ```
 */
export function withSpan<T>(name: string, fn: (span: Span) => T): T;
export function withSpan<T>(name: string, options: SpanOptions, fn: (span: Span) => T): T;
export function withSpan<T>(
  name: string,
  optionsOrFn: SpanOptions | ((span: Span) => T),
  maybeFn?: (span: Span) => T,
): T {
  const [options, fn] = typeof optionsOrFn === "function" ? [{}, optionsOrFn] : [optionsOrFn, maybeFn];
  if (fn === undefined) throw new TypeError("withSpan needs a function to run");
  const { kind = "internal", attributes = {} } = options;
  return trace.getTracer("@tocsin/sdk").startActiveSpan(name, { kind: KINDS[kind], attributes }, (span) => {
    let result: T;
    try {
      result = fn(span);
    } catch (error) {
      endWithError(span, error);
      throw error;
    }
    if (!(result instanceof Promise)) {
      span.end();
      return result;
    }
    return result.then(
      (value: unknown) => {
        span.end();
        return value;
      },
      (error: unknown) => {
        endWithError(span, error);
        throw error;
      },
    ) as T;
  });
}

function endWithError(span: Span, error: unknown): void {
  const exception = error instanceof Error ? error : new Error(String(error));
  span.recordException(exception);
  span.setAttribute("error.type", exception.name);
  span.setStatus({ code: SpanStatusCode.ERROR, message: exception.message });
  span.end();
}

/** The id of the trace this code runs in, 32 hex digits; undefined outside of any. */
export function currentTraceId(): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId;
}
