import type { z } from "zod";

/**
 * Search parameters as a typed value. Every field of the schema must have a `.catch(default)`: a link with a broken
 * value still opens.
 */
export function readSearch<S extends z.ZodObject>(schema: S, params: URLSearchParams): z.infer<S> {
  const raw: Record<string, unknown> = {};
  for (const name of Object.keys(schema.shape)) raw[name] = params.get(name) ?? undefined;
  return schema.parse(raw);
}

/** A copy of `params` with `patch` written into it. Defaults leave the URL; parameters of others stay as they are. */
export function writeSearch<S extends z.ZodObject>(
  schema: S,
  params: URLSearchParams,
  patch: Partial<z.infer<S>>,
): URLSearchParams {
  const defaults = schema.parse({}) as Record<string, unknown>;
  const next = new URLSearchParams(params);
  for (const [name, value] of Object.entries(patch)) {
    if (value === undefined || value === defaults[name]) next.delete(name);
    else next.set(name, String(value));
  }
  return next;
}

/** What every page understands and every link carries on: range, zone, pause. */
const COMMON = ["from", "to", "tz", "live"];

/** `/logs?q=x` plus the common parameters of the page one is on. */
export function linkTo(path: string, current: URLSearchParams, own: Record<string, string | undefined> = {}): string {
  const search = new URLSearchParams();
  for (const name of COMMON) {
    const value = current.get(name);
    if (value !== null) search.set(name, value);
  }
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined || value === "") search.delete(name);
    else search.set(name, value);
  }
  const text = search.toString();
  return text === "" ? path : `${path}?${text}`;
}
