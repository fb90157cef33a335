import type { Fetch } from "./registry.ts";

const TIMEOUT_MS = 3000;

/** A request to a registry within three seconds. Throws an Error for a status other than 2xx and `allowed`. */
export async function ask(
  request: Fetch,
  url: string,
  init: RequestInit,
  allowed: readonly number[] = [],
): Promise<{ statusCode: number; body: unknown }> {
  const response = await request(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
  const text = await response.text();
  if (!response.ok && !allowed.includes(response.status)) {
    throw new Error(`${new URL(url).pathname}: HTTP status ${response.status}: ${text.slice(0, 200)}`);
  }
  return { statusCode: response.status, body: response.ok && text !== "" ? JSON.parse(text) : undefined };
}
