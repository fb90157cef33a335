import { isAbsolute, join } from "node:path";
import type { z } from "zod";
import { bool, field, list, mapOf, notBuilt, object, oneOf, proxyUrl, secret, text, url } from "./fields.ts";

const TlsVersion = oneOf("TLS10", "TLS11", "TLS12", "TLS13");

export const TlsConfig = object({
  ca: text.optional(),
  cert: text.optional(),
  key: secret.optional(),
  ca_file: text.optional(),
  cert_file: text.optional(),
  key_file: text.optional(),
  server_name: text.optional(),
  insecure_skip_verify: bool.optional(),
  min_version: TlsVersion.optional(),
  max_version: TlsVersion.optional(),
}).superRefine((tls, context) => {
  for (const name of ["ca", "cert", "key"] as const) {
    if (tls[name] !== undefined && tls[`${name}_file`] !== undefined)
      context.addIssue({ code: "custom", path: [name], message: `at most one of ${name} and ${name}_file` });
  }
  const has = (name: "cert" | "key") => tls[name] !== undefined || tls[`${name}_file`] !== undefined;
  if (has("cert") !== has("key"))
    context.addIssue({ code: "custom", message: "a client certificate needs both cert and key, or their files" });
});
export type TlsConfig = z.output<typeof TlsConfig>;

const BasicAuth = object({
  username: text.optional(),
  username_file: text.optional(),
  password: secret.optional(),
  password_file: text.optional(),
}).superRefine((auth, context) => {
  for (const name of ["username", "password"] as const) {
    if (auth[name] !== undefined && auth[`${name}_file`] !== undefined)
      context.addIssue({ code: "custom", path: [name], message: `at most one of ${name} and ${name}_file` });
  }
});

const Authorization = object({
  type: text.default("Bearer"),
  credentials: secret.optional(),
  credentials_file: text.optional(),
}).superRefine((auth, context) => {
  if (auth.type.trim().toLowerCase() === "basic")
    context.addIssue({ code: "custom", path: ["type"], message: 'authorization type "basic": use basic_auth instead' });
  if (auth.credentials !== undefined && auth.credentials_file !== undefined)
    context.addIssue({ code: "custom", message: "at most one of credentials and credentials_file" });
});

const HttpHeader = object({
  values: list(text).optional(),
  secrets: list(secret).optional(),
  files: list(text).optional(),
});

const jwtBearer = notBuilt("the JWT bearer grant of oauth2");

const ClientCredentials = field(
  (tree) => {
    if (tree === "client_credentials" || tree === "") return tree;
    throw new Error("the JWT bearer grant of oauth2 is not built into this version yet");
  },
  (value) => value,
);

const OAuth2 = object({
  client_id: text,
  client_secret: secret.optional(),
  client_secret_file: text.optional(),
  token_url: url,
  grant_type: ClientCredentials.optional(),
  client_certificate_key: jwtBearer.optional(),
  client_certificate_key_file: jwtBearer.optional(),
  client_certificate_key_id: jwtBearer.optional(),
  signature_algorithm: jwtBearer.optional(),
  iss: jwtBearer.optional(),
  audience: jwtBearer.optional(),
  claims: jwtBearer.optional(),
  scopes: list(text).optional(),
  endpoint_params: mapOf(text).optional(),
  tls_config: TlsConfig.optional(),
  proxy_url: proxyUrl.optional(),
}).superRefine((auth, context) => {
  if (auth.client_secret !== undefined && auth.client_secret_file !== undefined)
    context.addIssue({ code: "custom", message: "at most one of client_secret and client_secret_file" });
});

/** How to speak to an HTTP service; at most one way of authentication. */
export const HttpClientConfig = object({
  authorization: Authorization.optional(),
  basic_auth: BasicAuth.optional(),
  oauth2: OAuth2.optional(),
  bearer_token: secret.optional(),
  bearer_token_file: text.optional(),
  tls_config: TlsConfig.optional(),
  proxy_url: proxyUrl.optional(),
  no_proxy: text.optional(),
  proxy_from_environment: bool.optional(),
  proxy_connect_header: mapOf(list(secret)).optional(),
  follow_redirects: bool.default(true),
  enable_http2: bool.default(true),
  http_headers: mapOf(HttpHeader).optional(),
})
  .superRefine((http, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if (http.bearer_token !== undefined && http.bearer_token_file !== undefined)
      issue("bearer_token", "at most one of bearer_token and bearer_token_file");
    const ways = [http.authorization, http.basic_auth, http.oauth2, http.bearer_token ?? http.bearer_token_file];
    if (ways.filter((way) => way !== undefined).length > 1)
      context.addIssue({
        code: "custom",
        message: "at most one of authorization, basic_auth, oauth2 and bearer_token may be set",
      });
    const proxied = http.proxy_url !== undefined;
    if (proxied && http.proxy_from_environment === true)
      issue("proxy_from_environment", "proxy_url and proxy_from_environment exclude each other");
    if (!proxied && http.no_proxy !== undefined) issue("no_proxy", "no_proxy needs proxy_url");
    if (!proxied && http.proxy_from_environment !== true && http.proxy_connect_header !== undefined)
      issue("proxy_connect_header", "proxy_connect_header needs proxy_url or proxy_from_environment");
    for (const name of Object.keys(http.http_headers ?? {})) {
      if (RESERVED_HEADERS.has(name.toLowerCase()))
        context.addIssue({ code: "custom", path: ["http_headers", name], message: `the header ${name} cannot be set` });
    }
  })
  .meta({ description: "HTTP client" });
export type HttpClientConfig = z.output<typeof HttpClientConfig>;

/** Headers that the client sets itself. */
const RESERVED_HEADERS = new Set([
  "authorization",
  "host",
  "content-encoding",
  "content-length",
  "content-type",
  "user-agent",
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "www-authenticate",
  "accept-encoding",
  "x-prometheus-remote-write-version",
  "x-prometheus-remote-read-version",
  "x-prometheus-scrape-timeout-seconds",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

export const DEFAULT_HTTP_CLIENT: HttpClientConfig = { follow_redirects: true, enable_http2: true };

/** The old `bearer_token` spelt as `authorization`, and file names made relative to the configuration's folder. */
export function settleHttpConfig(http: HttpClientConfig, directory: string): HttpClientConfig {
  const { bearer_token, bearer_token_file, ...rest } = http;
  const bearer = bearer_token !== undefined || bearer_token_file !== undefined;
  const authorization = bearer
    ? { type: "Bearer", credentials: bearer_token, credentials_file: bearer_token_file }
    : http.authorization;
  return joinFiles({ ...rest, ...(authorization && { authorization }) }, directory);
}

const FILE_KEYS = new Set([
  "ca_file",
  "cert_file",
  "key_file",
  "credentials_file",
  "username_file",
  "password_file",
  "client_secret_file",
]);

function joinFiles<T extends object>(block: T, directory: string): T {
  const joined = Object.entries(block).map(([key, value]: [string, unknown]) => {
    if (typeof value === "string" && FILE_KEYS.has(key)) return [key, relativeTo(directory, value)];
    if (key === "http_headers" && typeof value === "object" && value !== null)
      return [key, joinHeaderFiles(value, directory)];
    const nested = typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
    return [key, nested ? joinFiles(value, directory) : value];
  });
  return Object.fromEntries(joined) as T;
}

function joinHeaderFiles(headers: object, directory: string): object {
  return Object.fromEntries(
    Object.entries(headers as NonNullable<HttpClientConfig["http_headers"]>).map(([name, header]) => [
      name,
      header.files ? { ...header, files: header.files.map((file) => relativeTo(directory, file)) } : header,
    ]),
  );
}

/** A file name in the configuration, relative to the folder that the configuration is in. */
export function relativeTo(directory: string, file: string): string {
  return file === "" || isAbsolute(file) ? file : join(directory, file);
}
