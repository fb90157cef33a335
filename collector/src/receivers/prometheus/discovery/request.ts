import { formatDuration } from "@tocsin/model";
import type { Clock } from "@tocsin/platform";
import { fetch, type Dispatcher, type RequestInit, type Response } from "undici";
import type { z } from "zod";
import { explainFailure } from "../fetch.ts";

export interface RequestDeps {
  clock: Clock;
  dispatcher: Dispatcher;
}

export interface JsonRequest<S extends z.ZodType> extends Pick<
  RequestInit,
  "method" | "headers" | "body" | "redirect"
> {
  url: string | URL;
  schema: S;
  timeoutMs: number;
}

const MAX_BYTES = 32 * 1024 * 1024;

/** Runs `task` with a signal that ends it after `timeoutMs` on the clock, or with the signal given. */
export async function withDeadline<T>(
  clock: Clock,
  timeoutMs: number,
  signal: AbortSignal,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = new AbortController();
  const timer = clock.schedule(timeoutMs, () =>
    deadline.abort(new Error(`there was no answer within ${formatDuration(timeoutMs)}`)),
  );
  const either = AbortSignal.any([signal, deadline.signal]);
  try {
    return await task(either);
  } catch (error) {
    throw either.aborted ? (either.reason as Error) : explainFailure(error);
  } finally {
    timer[Symbol.dispose]();
  }
}

/** Asks a registry. Throws an Error that says why there is no usable answer. */
export function requestJson<S extends z.ZodType>(
  { url, schema, timeoutMs, ...init }: JsonRequest<S>,
  { clock, dispatcher }: RequestDeps,
  signal: AbortSignal,
): Promise<{ data: z.output<S>; headers: Response["headers"] }> {
  return withDeadline(clock, timeoutMs, signal, async (signal) => {
    const response = await fetch(url, { ...init, signal, dispatcher });
    if (response.status !== 200) throw await refusal(response);
    const parsed = schema.safeParse(JSON.parse(await readBody(response)));
    if (parsed.success) return { data: parsed.data, headers: response.headers };
    const [issue] = parsed.error.issues;
    throw new Error(`the answer is not understood: ${issue?.path.join(".")}: ${issue?.message}`);
  });
}

/** What a status other than 200 comes to. */
export async function refusal(response: Response): Promise<Error> {
  await response.body?.cancel();
  return new Error(`server returned HTTP status ${response.status} ${response.statusText}`.trimEnd());
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_BYTES) throw new Error(`the answer is above ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length).toString("utf8");
}
