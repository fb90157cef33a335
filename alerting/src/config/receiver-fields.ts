import { bool, goDuration, secret, text } from "./fields.ts";
import { HttpClientConfig } from "./http-client-config.ts";

/** Keys that many receivers' blocks share. */

export const sendResolved = (fallback: boolean) =>
  bool.default(fallback).describe("also tell of alerts that have ended");

export const httpConfig = HttpClientConfig.optional().describe(
  "how to connect; replaces the global http_config completely",
);

export const timeout = goDuration.optional().describe("how long one attempt may take, such as 10s; 0 is no limit");

/** A template with a default. */
export const template = (fallback: string, what: string) => text.default(fallback).describe(what);

/** A template that is empty unless it is set. */
export const optionalTemplate = (what: string) => text.optional().describe(what);

export const secretKey = (what: string) => secret.optional().describe(what);

export const secretFile = (what: string) => text.optional().describe(`file with ${what}, read at each notification`);
