import { readFile } from "node:fs/promises";
import { Agent, request } from "undici";
import { errorMessage, readConfigText, TocsinError } from "@tocsin/platform";
import type { PrometheusStoreConfig } from "./config.ts";

/** Larger answers are cut off with an error. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;

export interface HttpAnswer {
  status: number;
  headers: Readonly<Record<string, string | string[] | undefined>>;
  body: Uint8Array;
}

export interface HttpQuestion {
  method: "GET" | "POST";
  url: string;
  headers?: Record<string, string>;
  body?: Uint8Array | string;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Speaks HTTP to one Prometheus: keeps connections, says who we are, holds TLS to what the configuration asks. */
export class HttpClient {
  readonly #config: PrometheusStoreConfig;
  readonly #agent: Agent;

  constructor(config: PrometheusStoreConfig) {
    this.#config = config;
    this.#agent = new Agent({ connect: tlsOptions(config.tls), keepAliveTimeout: 30_000 });
  }

  /** Resolves with whatever status comes; rejects with TOCSIN_UNAVAILABLE when none does, or with the signal's reason. */
  async send({ method, url, headers, body, timeoutMs, signal }: HttpQuestion): Promise<HttpAnswer> {
    try {
      const response = await request(url, {
        method,
        headers: {
          "user-agent": "tocsin",
          ...this.#config.headers,
          ...(await this.#authorization()),
          ...headers,
        },
        body: body ?? null,
        dispatcher: this.#agent,
        headersTimeout: timeoutMs,
        bodyTimeout: timeoutMs,
        ...(signal && { signal }),
      });
      return { status: response.statusCode, headers: response.headers, body: await readLimited(response.body) };
    } catch (cause) {
      if (signal?.aborted) throw signal.reason;
      if (cause instanceof TocsinError) throw cause;
      throw new TocsinError("TOCSIN_UNAVAILABLE", `${new URL(url).origin} does not answer: ${errorMessage(cause)}`, {
        cause,
      });
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }

  async #authorization(): Promise<Record<string, string>> {
    const { basic_auth, bearer_token, bearer_token_file } = this.#config;
    if (basic_auth) {
      const password = basic_auth.password?.reveal() ?? (await secretOf(basic_auth.password_file));
      const credentials = Buffer.from(`${basic_auth.username}:${password}`).toString("base64");
      return { authorization: `Basic ${credentials}` };
    }
    const token = bearer_token?.reveal() ?? (await secretOf(bearer_token_file));
    return token === "" ? {} : { authorization: `Bearer ${token}` };
  }
}

/** Files are read each time, so that a rotated secret counts at once. */
async function secretOf(file: string | undefined): Promise<string> {
  return file === undefined ? "" : (await readFile(file, "utf8")).trim();
}

function tlsOptions({ ca_file, cert_file, key_file, server_name, insecure_skip_verify }: PrometheusStoreConfig["tls"]) {
  return {
    ...(ca_file !== undefined && { ca: readConfigText(ca_file) }),
    ...(cert_file !== undefined && { cert: readConfigText(cert_file) }),
    ...(key_file !== undefined && { key: readConfigText(key_file) }),
    ...(server_name !== undefined && { servername: server_name }),
    rejectUnauthorized: !insecure_skip_verify,
  };
}

async function readLimited(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_BODY_BYTES)
      throw new TocsinError("TOCSIN_TOO_LARGE", `the answer of Prometheus is larger than ${MAX_BODY_BYTES} bytes`);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}
