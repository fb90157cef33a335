import { z } from "zod";
import { errorMessage } from "@tocsin/platform";
import type { QueryAnswer, QuerySource } from "../query-source.ts";

const Labels = z.record(z.string(), z.string());
const Point = z.tuple([z.number(), z.string()]);
const Answer = z.discriminatedUnion("resultType", [
  z.object({
    resultType: z.literal("vector"),
    result: z.array(z.object({ metric: Labels, value: Point.optional() })),
  }),
  z.object({
    resultType: z.literal("matrix"),
    result: z.array(z.object({ metric: Labels, values: z.array(Point).optional() })),
  }),
  z.object({ resultType: z.literal("scalar"), result: Point }),
  z.object({ resultType: z.literal("string"), result: Point }),
]);
const Envelope = z.discriminatedUnion("status", [
  z.object({ status: z.literal("success"), data: Answer }),
  z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() }),
]);

export interface PrometheusQuerySourceOptions {
  /** Base address, e.g. `http://prometheus:9090`. */
  url: string;
  /** Sent with every request, e.g. authorization. */
  headers?: Readonly<Record<string, string>>;
  /** Default 2 minutes. */
  timeoutMs?: number;
}

/** Asks a Prometheus HTTP API, whoever serves it. Its JSON cannot carry native histograms whole, so these are refused. */
export function createPrometheusQuerySource(options: PrometheusQuerySourceOptions): QuerySource {
  const endpoint = `${options.url.replace(/\/+$/, "")}/api/v1/query`;
  return {
    async instant(expr, atMs, signal) {
      const response = await fetch(endpoint, {
        method: "POST",
        headers: { ...options.headers, "content-type": "application/x-www-form-urlencoded" },
        body: new URLSearchParams({ query: expr, time: String(atMs / 1000) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs ?? 120_000)]),
      });
      return readAnswer(endpoint, response.status, await response.text());
    },
  };
}

function readAnswer(endpoint: string, status: number, body: string): QueryAnswer {
  const envelope = Envelope.safeParse(parseJson(body));
  if (!envelope.success)
    throw new Error(
      `${endpoint} answered ${status} and not as the Prometheus API does: ${z.prettifyError(envelope.error)}`,
    );
  if (envelope.data.status === "error") throw new Error(envelope.data.error);
  const answer = envelope.data.data;
  switch (answer.resultType) {
    case "vector":
      return {
        type: "vector",
        samples: answer.result.map(({ metric, value }) => {
          if (value === undefined)
            throw new Error("the result has native histograms, which cannot be read over the HTTP API");
          return { labels: metric, timestampMs: toMs(value[0]), value: toNumber(value[1]) };
        }),
      };
    case "matrix":
      return {
        type: "matrix",
        series: answer.result.map(({ metric, values }) => ({
          labels: metric,
          samples: (values ?? []).map(([time, value]) => ({ timestampMs: toMs(time), value: toNumber(value) })),
        })),
      };
    case "scalar":
      return { type: "scalar", timestampMs: toMs(answer.result[0]), value: toNumber(answer.result[1]) };
    case "string":
      return { type: "string", timestampMs: toMs(answer.result[0]), value: answer.result[1] };
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch (error) {
    return errorMessage(error);
  }
}

const toMs = (seconds: number) => Math.round(seconds * 1000);

function toNumber(text: string): number {
  if (text === "+Inf" || text === "Inf") return Infinity;
  return text === "-Inf" ? -Infinity : Number(text);
}
