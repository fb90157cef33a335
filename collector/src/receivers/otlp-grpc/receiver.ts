import {
  Metadata,
  Server,
  ServerCredentials,
  status,
  type handleUnaryCall,
  type sendUnaryData,
  type ServiceDefinition,
} from "@grpc/grpc-js";
import { OtlpDecodeError, type Signal } from "@tocsin/model";
import { sleep, type Logger } from "@tocsin/platform";
import { defineReceiver, type ListenAddress, type Outcome, type Receiver, type ReceiverDeps } from "../../component.ts";
import { excerptOf } from "../../rejects.ts";
import { Admission } from "../otlp/admission.ts";
import { bindError } from "../otlp/listen.ts";
import { readProtobuf } from "../otlp/request.ts";
import { exportResponse, statusBody } from "../otlp/response.ts";
import { OtlpGrpcConfig } from "./config.ts";

const SOURCE = "otlp_grpc";
const RETRY_AFTER_MS = 1000;

/** OTLP over gRPC. Messages stay bytes: the same checks and the same way on as over HTTP. */
export const otlpGrpc = defineReceiver({
  name: SOURCE,
  config: OtlpGrpcConfig,
  create: (config, deps): Receiver => new OtlpGrpcReceiver(config, deps),
});

const SERVICES: Readonly<Record<Signal, string>> = {
  logs: "opentelemetry.proto.collector.logs.v1.LogsService",
  traces: "opentelemetry.proto.collector.trace.v1.TraceService",
  metrics: "opentelemetry.proto.collector.metrics.v1.MetricsService",
};

const same = (bytes: Buffer) => bytes;

function definition(signal: Signal): ServiceDefinition {
  return {
    Export: {
      path: `/${SERVICES[signal]}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  };
}

class OtlpGrpcReceiver implements Receiver {
  readonly name = "receiver otlp_grpc";
  readonly #config: OtlpGrpcConfig;
  readonly #deps: ReceiverDeps;
  readonly #logger: Logger;
  readonly #admission: Admission;
  #server: Server | undefined;
  #address: ListenAddress | undefined;

  constructor(config: OtlpGrpcConfig, deps: ReceiverDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#logger = deps.logger.child({ component: this.name });
    this.#admission = new Admission(config.max_in_flight);
  }

  /** Throws TOCSIN_PORT_TAKEN when it cannot bind. */
  async start(): Promise<void> {
    const host = this.#config.host ?? this.#deps.listen.host;
    const port = this.#config.port ?? this.#deps.listen.otlpGrpcPort;
    const server = new Server({
      "grpc.max_receive_message_length": this.#config.max_body,
      "grpc.max_concurrent_streams": this.#config.max_streams,
      // Without this, a second process could bind the same port and take half of the connections.
      "grpc.so_reuseport": 0,
    });
    for (const signal of ["logs", "traces", "metrics"] as const) {
      server.addService(definition(signal), { Export: this.#handler(signal) });
    }
    const bound = await new Promise<number>((resolve, reject) => {
      const authority = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
      server.bindAsync(authority, ServerCredentials.createInsecure(), (error, boundPort) => {
        if (error) reject(bindError(error, "OTLP/gRPC", host, port, "--otlp-grpc-port"));
        else resolve(boundPort);
      });
    });
    this.#server = server;
    this.#address = { host, port: bound };
  }

  /** Ends running requests, new ones get UNAVAILABLE; after the drain timeout connections are cut. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    this.#address = undefined;
    const abandon = new AbortController();
    const closed = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    const expired = sleep(this.#deps.clock, this.#config.drain_timeout, abandon.signal).catch(() => {});
    await Promise.race([closed, expired]);
    abandon.abort();
    server.forceShutdown();
  }

  address(): ListenAddress | undefined {
    return this.#address;
  }

  #handler(signal: Signal): handleUnaryCall<Buffer, Buffer> {
    return (call, callback) => {
      this.#export(signal, call.request, callback).catch((err: unknown) => {
        this.#logger.error({ err, signal }, "request failed");
        fail(callback, status.INTERNAL, "an unexpected error; the log has the details");
      });
    };
  }

  async #export(signal: Signal, bytes: Buffer, callback: sendUnaryData<Buffer>): Promise<void> {
    const lease = this.#admission.lease();
    if (!lease.grow(bytes.length)) {
      fail(callback, status.RESOURCE_EXHAUSTED, "too many bytes are in flight; send again later", RETRY_AFTER_MS);
      return;
    }
    try {
      const { payload, dropped } = readProtobuf(signal, bytes);
      respond(callback, signal, await this.#deps.intake.accept(payload, SOURCE, dropped));
    } catch (error) {
      if (!(error instanceof OtlpDecodeError)) throw error;
      const at = this.#deps.clock.now();
      const reason = error.message;
      this.#deps.intake.reject({ at, signal, source: SOURCE, reason, bytes: bytes.length, excerpt: excerptOf(bytes) });
      fail(callback, status.INVALID_ARGUMENT, reason);
    } finally {
      lease.release();
    }
  }
}

function respond(callback: sendUnaryData<Buffer>, signal: Signal, outcome: Outcome): void {
  switch (outcome.status) {
    case "ok":
      return callback(null, Buffer.from(exportResponse(signal, "protobuf", outcome.dropped)));
    case "retry":
      return fail(callback, status.UNAVAILABLE, outcome.error, outcome.afterMs);
    case "permanent":
      return fail(callback, status.INVALID_ARGUMENT, outcome.error);
  }
}

/** Fails a call; with `retryAfterMs` the status carries a RetryInfo, without which clients must not retry RESOURCE_EXHAUSTED. */
function fail(callback: sendUnaryData<Buffer>, code: status, details: string, retryAfterMs?: number): void {
  const metadata = new Metadata();
  const body = statusBody("protobuf", code, details, retryAfterMs);
  metadata.set("grpc-status-details-bin", Buffer.from(body));
  callback({ code, details, metadata });
}
