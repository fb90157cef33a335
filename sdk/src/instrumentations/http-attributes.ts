const KNOWN_METHODS = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "CONNECT",
  "TRACE",
  "QUERY",
]);

/** Bounds what a client can put into a label: unknown methods are `_OTHER` (semantic conventions, HTTP). */
export const knownMethod = (method: string): string => (KNOWN_METHODS.has(method) ? method : "_OTHER");

export interface HostPort {
  host: string;
  port: number | undefined;
}

/** Reads a Host header: `name`, `name:port`, `[::1]:port`. */
export function parseHost(header: string): HostPort {
  const match = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(header);
  if (match === null) return { host: header, port: undefined };
  const [, host = "", port] = match;
  return { host: host.replace(/^\[|\]$/g, ""), port: port === undefined ? undefined : Number(port) };
}
