import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { errorMessage, TocsinError } from "@tocsin/platform";
import type { KafkaBusConfig } from "./config.ts";

/** Options for node:tls, or undefined when TLS is off. Reads the files; throws TOCSIN_CONFIG_UNREADABLE. */
export function tlsOptions({ tls }: KafkaBusConfig): ConnectionOptions | undefined {
  if (!tls.enabled) return undefined;
  return {
    rejectUnauthorized: !tls.insecure_skip_verify,
    ...(tls.ca_file !== undefined && { ca: read(tls.ca_file) }),
    ...(tls.cert_file !== undefined && { cert: read(tls.cert_file) }),
    ...(tls.key_file !== undefined && { key: read(tls.key_file) }),
    ...(tls.server_name !== undefined && { servername: tls.server_name }),
  };
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new TocsinError("TOCSIN_CONFIG_UNREADABLE", `cannot read ${file}: ${errorMessage(cause)}`, { cause });
  }
}
