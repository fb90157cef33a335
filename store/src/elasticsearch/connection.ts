import { readFileSync } from "node:fs";
import { Client, Transport, errors, type ClientOptions } from "@elastic/elasticsearch";
import { errorMessage, TocsinError } from "@tocsin/platform";
import { z } from "zod";
import type { ElasticsearchConfig } from "./config.ts";

export type Json = Record<string, unknown>;

export interface Request {
  method: "GET" | "POST" | "PUT" | "DELETE" | "HEAD";
  path: string;
  query?: Record<string, string | number | boolean>;
  body?: Json;
  /** Lines of JSON, for `_bulk`. */
  lines?: string;
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/** What the server is, as far as it makes a difference. */
export interface ServerFeatures {
  flavor: "elasticsearch" | "opensearch";
  version: string;
  /** Index lifecycle management; some distributions lack it. */
  ilm: boolean;
  /** The `cjk` analyzer of the analysis module. */
  cjk: boolean;
}

const Info = z.object({
  tagline: z.string().optional(),
  version: z.object({ number: z.string(), distribution: z.string().optional() }),
});

/**
 * Elastic's transport without two things: the check for Elastic's own product header, and media types that carry a
 * version. OpenSearch has neither, and earlier majors of Elasticsearch refuse the version; plain JSON all of them take.
 */
class PlainTransport extends Transport {
  constructor(options: ConstructorParameters<typeof Transport>[0]) {
    const { productCheck: _, vendoredHeaders: __, ...plain } = options;
    super(plain);
  }
}

/** One client for all requests; retries are the callers', who know what may be asked twice. */
export class Connection {
  readonly #client: Client;
  readonly #searchTimeoutMs: number;

  /** Throws TOCSIN_CONFIG_INVALID when a certificate file cannot be read. */
  constructor(config: ElasticsearchConfig) {
    this.#client = new Client(clientOptions(config));
    this.#searchTimeoutMs = config.search_timeout;
  }

  /**
   * Rejects with the signal's reason when aborted, with ServerRefused when the server answers an error, and with
   * TOCSIN_UNAVAILABLE when it does not answer.
   */
  async request<T>(request: Request): Promise<T> {
    const { method, path, query, body, lines, timeoutMs, signal } = request;
    signal?.throwIfAborted();
    try {
      return await this.#client.transport.request<T>(
        {
          method,
          path,
          ...(query && { querystring: query }),
          ...(body && { body }),
          ...(lines !== undefined && { bulkBody: lines }),
        },
        { requestTimeout: timeoutMs ?? this.#searchTimeoutMs, maxRetries: 0, ...(signal && { signal }) },
      );
    } catch (error) {
      signal?.throwIfAborted();
      throw translate(error, `${method} ${path}`);
    }
  }

  /** Throws TOCSIN_CONFIG_INVALID when what answers is no search server. */
  async features(): Promise<ServerFeatures> {
    const parsed = Info.safeParse(await this.request<unknown>({ method: "GET", path: "/" }));
    if (!parsed.success) {
      throw new TocsinError(
        "TOCSIN_CONFIG_INVALID",
        "store.elasticsearch.nodes: this is no Elasticsearch or OpenSearch",
      );
    }
    const { version } = parsed.data;
    const flavor = version.distribution === "opensearch" ? "opensearch" : "elasticsearch";
    const analyze = { method: "POST" as const, path: "/_analyze", body: { analyzer: "cjk", text: "a" } };
    return {
      flavor,
      version: version.number,
      ilm: flavor === "elasticsearch" && (await this.#knows({ method: "GET", path: "/_ilm/policy" })),
      cjk: await this.#knows(analyze),
    };
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Whether the server has an API or a module: it refuses what it does not know as a bad request. */
  async #knows(request: Request): Promise<boolean> {
    try {
      await this.request(request);
      return true;
    } catch (error) {
      if (error instanceof ServerRefused && [400, 403, 404, 405].includes(error.status)) return false;
      throw error;
    }
  }
}

/** The server answered, but with an error. */
export class ServerRefused extends Error {
  override readonly name = "ServerRefused";
  readonly status: number;
  /** Elasticsearch's name of the error, e.g. `search_phase_execution_exception`. */
  readonly type: string;

  constructor(status: number, type: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.type = type;
  }
}

/** A page of a thousand records that are a quarter of a megabyte each. */
const MAX_RESPONSE_BYTES = 256 * 2 ** 20;

function clientOptions(config: ElasticsearchConfig): ClientOptions {
  const { nodes, api_key: apiKey, username, password, tls, compression } = config;
  const auth = apiKey
    ? { apiKey: apiKey.reveal() }
    : username !== undefined && password
      ? { username, password: password.reveal() }
      : undefined;
  return {
    nodes,
    Transport: PlainTransport,
    maxRetries: 0,
    compression,
    name: "tocsin",
    enableMetaHeader: false,
    maxResponseSize: MAX_RESPONSE_BYTES,
    redaction: { type: "remove" },
    ...(auth && { auth }),
    ...(nodes.some((node) => node.startsWith("https:")) && {
      tls: {
        rejectUnauthorized: !tls.insecure_skip_verify,
        ...(tls.ca_file !== undefined && { ca: readPem(tls.ca_file) }),
        ...(tls.cert_file !== undefined && { cert: readPem(tls.cert_file) }),
        ...(tls.key_file !== undefined && { key: readPem(tls.key_file) }),
        ...(tls.server_name !== undefined && { servername: tls.server_name }),
      },
    }),
  };
}

function readPem(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new TocsinError("TOCSIN_CONFIG_INVALID", `store.elasticsearch.tls: ${errorMessage(cause)}`, { cause });
  }
}

const ErrorBody = z.object({
  error: z.union([
    z.string(),
    z.object({
      type: z.string(),
      reason: z.string().nullish(),
      root_cause: z.array(z.object({ reason: z.string().nullish() })).optional(),
    }),
  ]),
});

function translate(error: unknown, what: string): unknown {
  if (error instanceof errors.ResponseError) {
    const status = error.statusCode ?? 0;
    const body = ErrorBody.safeParse(error.body);
    if (!body.success) return new ServerRefused(status, "unknown", `${what}: status ${status}`, { cause: error });
    const told = body.data.error;
    if (typeof told === "string") return new ServerRefused(status, "unknown", `${what}: ${told}`, { cause: error });
    const reason = told.root_cause?.[0]?.reason ?? told.reason ?? "";
    return new ServerRefused(status, told.type, `${what}: ${told.type}: ${reason}`, { cause: error });
  }
  if (error instanceof errors.TimeoutError) {
    return new TocsinError("TOCSIN_UNAVAILABLE", `${what}: Elasticsearch did not answer in time`, { cause: error });
  }
  if (error instanceof errors.ElasticsearchClientError) {
    const told = error.message === "" ? error.name : error.message;
    return new TocsinError("TOCSIN_UNAVAILABLE", `${what}: Elasticsearch cannot be reached: ${told}`, { cause: error });
  }
  return error;
}
