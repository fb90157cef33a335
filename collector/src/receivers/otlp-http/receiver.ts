import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { OtlpDecodeError, type Signal } from "@tocsin/model";
import { Histogram, sleep, type Logger } from "@tocsin/platform";
import { defineReceiver, type ListenAddress, type Outcome, type Receiver, type ReceiverDeps } from "../../component.ts";
import { excerptOf } from "../../rejects.ts";
import { Admission } from "../otlp/admission.ts";
import { bindError } from "../otlp/listen.ts";
import { readJson, readProtobuf, type OtlpRequest } from "../otlp/request.ts";
import { exportResponse, RpcCode, statusBody, type Encoding } from "../otlp/response.ts";
import { readBody, Refusal } from "./body.ts";
import { OtlpHttpConfig } from "./config.ts";
import { allowOrigin } from "./cors.ts";

const SOURCE = "otlp_http";
const SIGNALS: Readonly<Record<string, Signal>> = {
  "/v1/logs": "logs",
  "/v1/traces": "traces",
  "/v1/metrics": "metrics",
};
const MAX_ABANDONED_BYTES = 128 * 1024 * 1024;
const CONTENT_TYPES: Readonly<Record<Encoding, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/** OTLP over HTTP/1.1: protobuf and JSON, on plain node:http, since this is the hot path. */
export const otlpHttp = defineReceiver({
  name: SOURCE,
  config: OtlpHttpConfig,
  create: (config, deps): Receiver => new OtlpHttpReceiver(config, deps),
});

class OtlpHttpReceiver implements Receiver {
  readonly name = "receiver otlp_http";
  readonly #config: OtlpHttpConfig;
  readonly #deps: ReceiverDeps;
  readonly #logger: Logger;
  readonly #admission: Admission;
  readonly #seconds: Histogram;
  #server: Server | undefined;
  #stopping = false;

  constructor(config: OtlpHttpConfig, deps: ReceiverDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#logger = deps.logger.child({ component: this.name });
    this.#admission = new Admission(config.max_in_flight);
    this.#seconds = new Histogram({
      name: "tocsin_collector_otlp_http_request_seconds",
      help: "Time from an OTLP/HTTP request's headers to its answer.",
      labelNames: ["signal", "code"],
      buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
      registers: [deps.registry],
    });
  }

  /** Throws TOCSIN_PORT_TAKEN when it cannot bind. */
  async start(): Promise<void> {
    const host = this.#config.host ?? this.#deps.listen.host;
    const port = this.#config.port ?? this.#deps.listen.otlpHttpPort;
    const server = createServer(
      {
        requestTimeout: this.#config.read_timeout,
        headersTimeout: this.#config.read_timeout,
        connectionsCheckingInterval: 1000,
        keepAliveTimeout: 65_000,
      },
      (request, response) => void this.#answer(request, response),
    );
    server.maxConnections = this.#config.max_connections;
    await new Promise<void>((resolve, reject) => {
      server.once("error", (error) => reject(bindError(error, "OTLP/HTTP", host, port, "--otlp-http-port")));
      server.listen(port, host, resolve);
    });
    server.on("error", (err) => this.#logger.error({ err }, "listener failed"));
    this.#server = server;
  }

  /** Answers what is running, refuses what comes, and closes every connection after the drain timeout at the latest. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    this.#stopping = true;
    const abandon = new AbortController();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeIdleConnections();
    const expired = sleep(this.#deps.clock, this.#config.drain_timeout, abandon.signal).then(
      () => server.closeAllConnections(),
      () => {},
    );
    await Promise.race([closed, expired]);
    await closed;
    abandon.abort();
  }

  address(): ListenAddress | undefined {
    const address = this.#server?.address();
    return typeof address === "object" && address !== null ? { host: address.address, port: address.port } : undefined;
  }

  /** The receiver's edge: every request ends in one answer. */
  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    allowOrigin(request, response, this.#config.cors_origins);
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const signal = Object.hasOwn(SIGNALS, path) ? SIGNALS[path] : undefined;
    if (!signal)
      return this.#text(
        request,
        response,
        404,
        `nothing is at ${path}; OTLP is taken at /v1/logs, /v1/traces and /v1/metrics\n`,
      );
    if (request.method === "OPTIONS") return void response.writeHead(204, { allow: "POST, OPTIONS" }).end();
    if (request.method !== "POST") {
      response.setHeader("allow", "POST, OPTIONS");
      const hint = `This is the OTLP/HTTP endpoint for ${signal}. Exporters POST to it, e.g. with OTEL_EXPORTER_OTLP_ENDPOINT=http://${request.headers.host ?? "127.0.0.1:4318"}\n`;
      return this.#text(request, response, 405, hint);
    }
    const startMs = this.#deps.clock.now();
    try {
      await this.#ingest(request, response, signal);
    } catch (err) {
      this.#logger.error({ err, signal }, "request failed");
      this.#status(request, response, 500, RpcCode.internal, "an unexpected error; the log has the details");
    }
    this.#seconds.observe({ signal, code: response.statusCode }, (this.#deps.clock.now() - startMs) / 1000);
  }

  async #ingest(request: IncomingMessage, response: ServerResponse, signal: Signal): Promise<void> {
    if (this.#stopping) return this.#pushBack(request, response, 503, 1000, "the collector is stopping");
    const encoding = encodingOf(request);
    const lease = this.#admission.lease();
    let body: Uint8Array = new Uint8Array();
    try {
      if (!encoding) throw new Refusal(415, unsupported(request));
      body = await readBody(request, this.#config.max_body, lease);
      const { payload, dropped } = read(signal, encoding, body);
      const outcome = await this.#deps.intake.accept(payload, SOURCE, dropped);
      this.#respond(request, response, signal, encoding, outcome);
    } catch (error) {
      if (error instanceof Refusal) this.#refuse(request, response, signal, error);
      else if (error instanceof OtlpDecodeError) this.#malformed(request, response, signal, body, error.message);
      else throw error;
    } finally {
      lease.release();
    }
  }

  #respond(
    request: IncomingMessage,
    response: ServerResponse,
    signal: Signal,
    encoding: Encoding,
    outcome: Outcome,
  ): void {
    switch (outcome.status) {
      case "ok":
        if (this.#stopping) response.setHeader("connection", "close");
        send(response, 200, CONTENT_TYPES[encoding], exportResponse(signal, encoding, outcome.dropped));
        return;
      case "retry":
        return this.#pushBack(request, response, 503, outcome.afterMs, outcome.error);
      case "permanent":
        return this.#status(request, response, 400, RpcCode.invalidArgument, outcome.error);
    }
  }

  #malformed(
    request: IncomingMessage,
    response: ServerResponse,
    signal: Signal,
    body: Uint8Array,
    reason: string,
  ): void {
    const at = this.#deps.clock.now();
    this.#deps.intake.reject({ at, signal, source: SOURCE, reason, bytes: body.length, excerpt: excerptOf(body) });
    this.#status(request, response, 400, RpcCode.invalidArgument, reason);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, signal: Signal, refusal: Refusal): void {
    const { status, message, bytes } = refusal;
    if (status === 429) return this.#pushBack(request, response, 429, 1000, message);
    this.#deps.intake.reject({
      at: this.#deps.clock.now(),
      signal,
      source: SOURCE,
      reason: message,
      bytes,
      excerpt: "",
    });
    if (status === 499) return void response.destroy();
    this.#status(request, response, status, RpcCode.invalidArgument, message);
  }

  #pushBack(
    request: IncomingMessage,
    response: ServerResponse,
    status: 429 | 503,
    afterMs: number,
    message: string,
  ): void {
    response.setHeader("retry-after", String(Math.max(1, Math.ceil(afterMs / 1000))));
    const code = status === 429 ? RpcCode.resourceExhausted : RpcCode.unavailable;
    this.#status(request, response, status, code, message);
  }

  /** A google.rpc.Status in the request's content type; in JSON when that is neither of ours. */
  #status(request: IncomingMessage, response: ServerResponse, status: number, code: number, message: string): void {
    const encoding = encodingOf(request) ?? "json";
    this.#abandonBody(request, response);
    send(response, status, CONTENT_TYPES[encoding], statusBody(encoding, code, message));
  }

  #text(request: IncomingMessage, response: ServerResponse, status: number, text: string): void {
    this.#abandonBody(request, response);
    send(response, status, "text/plain; charset=utf-8", Buffer.from(text));
  }

  /**
   * The rest of an unread body is thrown away, so that a sender that is still writing gets to read the answer; one that
   * goes on for too long is cut off.
   */
  #abandonBody(request: IncomingMessage, response: ServerResponse): void {
    if (this.#stopping && !response.headersSent) response.setHeader("connection", "close");
    if (request.complete) return;
    let left = MAX_ABANDONED_BYTES;
    request.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) request.destroy();
    });
    request.resume();
  }
}

function read(signal: Signal, encoding: Encoding, body: Uint8Array): OtlpRequest {
  return encoding === "json" ? readJson(signal, body) : readProtobuf(signal, body);
}

function encodingOf(request: IncomingMessage): Encoding | undefined {
  const type = (request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type === "application/x-protobuf" || type === "application/protobuf") return "protobuf";
  return type === "application/json" ? "json" : undefined;
}

function unsupported(request: IncomingMessage): string {
  const type = request.headers["content-type"];
  return `content-type ${type === undefined ? "is missing" : `${type} is not supported`}; send application/x-protobuf or application/json`;
}

function send(response: ServerResponse, status: number, type: string, body: Uint8Array): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, { "content-type": type, "content-length": body.length }).end(body);
}
