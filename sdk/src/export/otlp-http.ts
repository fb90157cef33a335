import { context } from "@opentelemetry/api";
import http from "node:http";
import https from "node:https";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { UNTRACED } from "../context.ts";
import { readPartialSuccess } from "./partial-success.ts";
import type { ExportResult, Send } from "./result.ts";

export interface OtlpHttpOptions {
  url: string;
  headers: Record<string, string>;
  timeoutMs: number;
  gzip: boolean;
  contentType: "application/x-protobuf" | "application/json";
  /** Milliseconds since the epoch, to read a Retry-After that is a date. */
  now: () => number;
}

const RETRYABLE = new Set([429, 502, 503, 504]);
const MAX_ANSWER_BYTES = 64 * 1024;
const compress = promisify(gzip);

/** OTLP/HTTP (opentelemetry-proto, docs/specification.md, "OTLP/HTTP"). */
export function otlpHttp(options: OtlpHttpOptions): Send {
  const url = new URL(options.url);
  const { Agent, request } = url.protocol === "https:" ? https : http;
  const agent = new Agent({ keepAlive: true, maxSockets: 2 });
  const headers: Record<string, string> = { ...options.headers, "content-type": options.contentType };
  if (options.gzip) headers["content-encoding"] = "gzip";

  const post = (body: Uint8Array): Promise<ExportResult> =>
    new Promise((resolve) => {
      const call = request(
        url,
        {
          method: "POST",
          agent,
          headers: { ...headers, "content-length": String(body.byteLength) },
          signal: AbortSignal.timeout(options.timeoutMs),
        },
        (response) => readAnswer(response, options, resolve),
      );
      // Exporting must not keep the app alive.
      call.on("socket", (socket) => socket.unref());
      call.on("error", (error) => resolve({ status: "retry", error: describe(error, options) }));
      call.end(body);
    });

  return (body) => context.with(UNTRACED, async () => post(options.gzip ? await compress(body, { level: 1 }) : body));
}

/** Whether the OTLP specification wants a request with this answer to be repeated. */
export const isRetryable = (statusCode: number | undefined): boolean => RETRYABLE.has(statusCode ?? 0);

/** Reads a collector's answer to its end; `done` is told once what became of the batch. */
export function readAnswer(
  response: http.IncomingMessage,
  options: Pick<OtlpHttpOptions, "now" | "timeoutMs">,
  done: (result: ExportResult) => void,
): void {
  const { statusCode = 0 } = response;
  const chunks: Buffer[] = [];
  let size = 0;
  response.on("data", (chunk: Buffer) => {
    size += chunk.byteLength;
    if (size <= MAX_ANSWER_BYTES) chunks.push(chunk);
  });
  response.on("end", () => done(judge(statusCode, response, Buffer.concat(chunks), options.now())));
  response.on("error", (error) => done({ status: "retry", error: describe(error, options) }));
}

function judge(status: number, response: http.IncomingMessage, body: Buffer, nowMs: number): ExportResult {
  if (status >= 200 && status < 300) return { status: "ok", ...readPartialSuccess(body) };
  const error = `HTTP ${status} ${response.statusMessage ?? ""}`.trimEnd() + excerpt(response, body);
  if (status === 413) return { status: "too_large", error };
  if (!isRetryable(status)) return { status: "permanent", error };
  const afterMs = retryAfterMs(response.headers["retry-after"], nowMs);
  return afterMs === undefined ? { status: "retry", error } : { status: "retry", afterMs, error };
}

/** Seconds or an HTTP date (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** The collector's own words, where they are words. */
function excerpt(response: http.IncomingMessage, body: Buffer): string {
  const isText = /^(text\/|application\/(problem\+)?json)/.test(response.headers["content-type"] ?? "");
  return isText && body.byteLength > 0 ? `: ${body.toString("utf8", 0, 200)}` : "";
}

/** The reason why there was no answer, in words for a person. */
export function describe(error: Error, { timeoutMs }: Pick<OtlpHttpOptions, "timeoutMs">): string {
  if (error.name === "AbortError" || error.name === "TimeoutError") return `no answer within ${timeoutMs} ms`;
  // Node gathers the errors of several addresses and leaves the message empty.
  const [first] = error instanceof AggregateError ? (error.errors as Error[]) : [];
  return error.message || first?.message || error.name;
}
