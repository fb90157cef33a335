import { readFile } from "node:fs/promises";
import { readFileSync } from "node:fs";
import { Agent, EnvHttpProxyAgent, interceptors, ProxyAgent, request, type Dispatcher } from "undici";
import type { SecureVersion } from "node:tls";
import { errorMessage, type Clock } from "@tocsin/platform";
import type { HttpClientConfig, TlsConfig } from "../../config/http-client-config.ts";
import type { FailureReason, NotifyResult } from "../integration.ts";

export interface HttpRequest {
  readonly method: "POST" | "PUT" | "GET";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal;
  /** Told of secrets that go along and do not stand in the configuration: from files, from a token service, encoded. */
  readonly onSecret?: (secret: string) => void;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower case, without parameters; empty when there is none. */
  readonly contentType: string;
  /** What a `Retry-After` in seconds asks for. */
  readonly retryAfterMs: number | undefined;
  /** At most the first 64 KiB. */
  readonly body: string;
}

const MAX_BODY_BYTES = 64 * 1024;
const MAX_REDIRECTS = 10;

export interface HttpClientDeps {
  readonly clock: Clock;
  readonly userAgent: string;
}

/** Speaks to a receiver's HTTP service as its `http_config` says. Secrets in files are read for each request. */
export class HttpClient {
  readonly #config: HttpClientConfig;
  readonly #deps: HttpClientDeps;
  #dispatcher: Dispatcher | undefined;
  #token: { value: string; expiresAt: number } | undefined;

  constructor(config: HttpClientConfig, deps: HttpClientDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** Resolves with whatever status comes; rejects when none does. */
  async send({ method, url, headers, body, signal, onSecret = () => {} }: HttpRequest): Promise<HttpResponse> {
    const authorization = await this.#authorization(signal);
    if (authorization !== undefined) onSecret(authorization.slice(authorization.indexOf(" ") + 1));
    const response = await request(url, {
      method,
      headers: {
        ...(await this.#configuredHeaders(onSecret)),
        ...(authorization !== undefined && { authorization }),
        "user-agent": this.#deps.userAgent,
        ...headers,
      },
      body: body ?? null,
      signal,
      dispatcher: (this.#dispatcher ??= createDispatcher(this.#config)),
    });
    const { "content-type": type, "retry-after": after } = response.headers;
    return {
      status: response.statusCode,
      contentType: typeof type === "string" ? (type.split(";")[0] ?? "").trim().toLowerCase() : "",
      retryAfterMs: typeof after === "string" && /^\d{1,6}$/.test(after) ? Number(after) * 1000 : undefined,
      body: await readLimited(response.body),
    };
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  async #configuredHeaders(onSecret: (secret: string) => void): Promise<Record<string, string[]>> {
    const headers: Record<string, string[]> = {};
    for (const [name, { values = [], secrets = [], files = [] }] of Object.entries(this.#config.http_headers ?? {})) {
      const contents = await Promise.all(files.map(readSecret));
      contents.forEach(onSecret);
      headers[name.toLowerCase()] = [...values, ...secrets.map((secret) => secret.reveal()), ...contents];
    }
    return headers;
  }

  async #authorization(signal: AbortSignal): Promise<string | undefined> {
    const { authorization, basic_auth, oauth2 } = this.#config;
    if (authorization) {
      const credentials = authorization.credentials?.reveal() ?? (await secretOf(authorization.credentials_file));
      return credentials === "" ? undefined : `${authorization.type} ${credentials}`;
    }
    if (basic_auth) {
      const username = basic_auth.username ?? (await secretOf(basic_auth.username_file));
      const password = basic_auth.password?.reveal() ?? (await secretOf(basic_auth.password_file));
      return basicAuth(username, password);
    }
    return oauth2 && `Bearer ${await this.#oauth2Token(oauth2, signal)}`;
  }

  /** A token by the client credentials grant, kept until shortly before it ends. */
  async #oauth2Token(oauth2: NonNullable<HttpClientConfig["oauth2"]>, signal: AbortSignal): Promise<string> {
    const now = this.#deps.clock.now();
    if (this.#token && now < this.#token.expiresAt) return this.#token.value;
    const secret = oauth2.client_secret?.reveal() ?? (await secretOf(oauth2.client_secret_file));
    const form = new URLSearchParams({ grant_type: "client_credentials", ...oauth2.endpoint_params });
    if (oauth2.scopes && oauth2.scopes.length > 0) form.set("scope", oauth2.scopes.join(" "));
    const dispatcher = createDispatcher({
      ...this.#config,
      tls_config: oauth2.tls_config,
      proxy_url: oauth2.proxy_url,
    });
    try {
      const response = await request(oauth2.token_url, {
        method: "POST",
        headers: {
          authorization: basicAuth(encodeURIComponent(oauth2.client_id), encodeURIComponent(secret)),
          "content-type": "application/x-www-form-urlencoded",
          "user-agent": this.#deps.userAgent,
        },
        body: form.toString(),
        signal,
        dispatcher,
      });
      const body = await readLimited(response.body);
      const answer: unknown = response.statusCode < 300 ? JSON.parse(body) : undefined;
      if (
        typeof answer !== "object" ||
        answer === null ||
        !("access_token" in answer) ||
        typeof answer.access_token !== "string"
      )
        throw new Error(`the token endpoint answered ${response.statusCode}`);
      const seconds = "expires_in" in answer ? Number(answer.expires_in) : 0;
      this.#token = { value: answer.access_token, expiresAt: now + Math.max(0, seconds - 10) * 1000 };
      return answer.access_token;
    } finally {
      await dispatcher.destroy();
    }
  }
}

function basicAuth(username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

async function readSecret(file: string): Promise<string> {
  return (await readFile(file, "utf8")).trim();
}

/** The trimmed content of a file with a secret; empty when there is none to read. */
export async function secretOf(file: string | undefined): Promise<string> {
  return file === undefined ? "" : readSecret(file);
}

function createDispatcher(config: HttpClientConfig): Dispatcher {
  const connect = config.tls_config ? tlsOptions(config.tls_config) : {};
  const base = proxied(config, connect) ?? new Agent({ connect });
  return config.follow_redirects ? base.compose(interceptors.redirect({ maxRedirections: MAX_REDIRECTS })) : base;
}

function proxied(config: HttpClientConfig, connect: TlsOptions): Dispatcher | undefined {
  if (config.proxy_from_environment === true) return new EnvHttpProxyAgent({ requestTls: connect });
  if (config.proxy_url === undefined) return undefined;
  const proxy = config.proxy_url.reveal();
  const headers = Object.entries(config.proxy_connect_header ?? {}).map(([name, values]) => [
    name,
    values.map((value) => value.reveal()).join(", "),
  ]);
  if (config.no_proxy !== undefined)
    return new EnvHttpProxyAgent({
      httpProxy: proxy,
      httpsProxy: proxy,
      noProxy: config.no_proxy,
      requestTls: connect,
    });
  return new ProxyAgent({
    uri: proxy,
    requestTls: connect,
    headers: Object.fromEntries(headers) as Record<string, string>,
  });
}

export interface TlsOptions {
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  minVersion?: SecureVersion;
  maxVersion?: SecureVersion;
  rejectUnauthorized?: boolean;
}

/** Node's options for a `tls_config`; reads its files. */
export function tlsOptions(tls: TlsConfig): TlsOptions {
  const content = (text: string | undefined, file: string | undefined) =>
    text ?? (file === undefined ? undefined : readFileSync(file, "utf8"));
  const ca = content(tls.ca, tls.ca_file);
  const cert = content(tls.cert, tls.cert_file);
  const key = content(tls.key?.reveal(), tls.key_file);
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(tls.server_name !== undefined && { servername: tls.server_name }),
    ...(tls.min_version !== undefined && { minVersion: TLS_VERSIONS[tls.min_version] }),
    ...(tls.max_version !== undefined && { maxVersion: TLS_VERSIONS[tls.max_version] }),
    rejectUnauthorized: tls.insecure_skip_verify !== true,
  };
}

const TLS_VERSIONS = { TLS10: "TLSv1", TLS11: "TLSv1.1", TLS12: "TLSv1.2", TLS13: "TLSv1.3" } as const;

async function readLimited(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    if (bytes < MAX_BODY_BYTES) chunks.push(chunk);
    bytes += chunk.length;
  }
  return Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES).toString("utf8");
}

/** What a status means for a notification: 2xx sent, 5xx and `alsoRetried` tried again, the rest final. */
export function httpOutcome(response: HttpResponse, alsoRetried: readonly number[] = []): NotifyResult {
  const { status, body, retryAfterMs } = response;
  if (status >= 200 && status < 300) return { status: "sent" };
  const said = body.trim() === "" ? "" : `: ${body.trim().slice(0, 1024)}`;
  const failure = { reason: failureReason(status), error: `unexpected status code ${status}${said}` };
  if (status < 500 && !alsoRetried.includes(status)) return { status: "failed", ...failure };
  return { status: "retry", ...failure, ...(retryAfterMs !== undefined && { afterMs: retryAfterMs }) };
}

export function failureReason(status: number): FailureReason {
  if (status === 401 || status === 403) return "authError";
  if (status === 429) return "rateLimited";
  if (status >= 500) return "serverError";
  return status >= 400 ? "clientError" : "other";
}

/** A request that got no answer. */
export function networkFailure(error: unknown): { reason: FailureReason; error: string } {
  const timedOut = error instanceof Error && error.name === "TimeoutError";
  return { reason: timedOut ? "contextDeadlineExceeded" : "other", error: rootMessage(error) };
}

/** undici and AggregateErrors hide what happened in the cause. */
function rootMessage(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(errorMessage).join("; ");
  if (error instanceof Error && error.cause instanceof Error && error.message === "fetch failed")
    return rootMessage(error.cause);
  return errorMessage(error);
}
