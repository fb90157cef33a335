import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { errorMessage } from "@tocsin/platform";
import { Agent, fetch, type Dispatcher } from "undici";
import { defineExporter, type Exporter, type ExporterDeps } from "../../component.ts";
import type { Payload } from "../../payload.ts";
import { SendingQueue, type PushResult } from "../sending-queue.ts";
import { OtlpHttpExporterConfig } from "./config.ts";

const gzipAsync = promisify(gzip);
const DRAIN_MS = 2000;

/** Sends a copy of everything to another OTLP endpoint. It never holds up or fails the main way. */
export const otlpHttpExporter = defineExporter({
  name: "otlp_http",
  config: OtlpHttpExporterConfig,
  create: (config, deps): Exporter => createExporter(config, deps),
});

function createExporter(config: OtlpHttpExporterConfig, deps: ExporterDeps): Exporter {
  const agent = new Agent({ connections: config.num_consumers });
  const queue = new SendingQueue({
    name: "otlp_http",
    push: (payload, signal) => push(config, agent, payload, signal),
    maxBytes: config.queue_size,
    consumers: config.num_consumers,
    timeoutMs: config.timeout,
    maxElapsedMs: config.max_elapsed_time,
    drainMs: DRAIN_MS,
    clock: deps.clock,
    logger: deps.logger.child({ component: "exporter otlp_http" }),
    registry: deps.registry,
  });
  return {
    name: "exporter otlp_http",
    start: () => queue.start(),
    async stop() {
      await queue.stop();
      await agent.destroy();
    },
    async consume(payload) {
      queue.offer(payload);
      return { status: "ok" };
    },
  };
}

/** OTLP/HTTP's own rules for what may be tried again. */
const RETRYABLE = new Set([429, 502, 503, 504]);

async function push(
  config: OtlpHttpExporterConfig,
  dispatcher: Dispatcher,
  payload: Payload,
  signal: AbortSignal,
): Promise<PushResult> {
  const gzipped = config.compression === "gzip";
  const body = gzipped ? await gzipAsync(payload.bytes, { level: 1 }) : payload.bytes;
  const headers: Record<string, string> = { "content-type": "application/x-protobuf" };
  if (gzipped) headers["content-encoding"] = "gzip";
  for (const [name, value] of Object.entries(config.headers)) headers[name] = value.reveal();
  try {
    const url = `${config.endpoint.replace(/\/+$/, "")}/v1/${payload.signal}`;
    const response = await fetch(url, { method: "POST", headers, body: new Uint8Array(body), signal, dispatcher });
    await response.body?.cancel();
    if (response.ok) return { status: "ok" };
    const error = `${url} answered ${response.status}`;
    if (!RETRYABLE.has(response.status)) return { status: "permanent", error };
    const afterS = Number(response.headers.get("retry-after") ?? Number.NaN);
    return Number.isFinite(afterS) ? { status: "retry", afterMs: afterS * 1000, error } : { status: "retry", error };
  } catch (error) {
    const cause = error instanceof TypeError && error.cause !== undefined ? error.cause : error;
    return { status: "retry", error: errorMessage(cause) };
  }
}
