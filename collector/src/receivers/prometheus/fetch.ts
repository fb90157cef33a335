import { formatDuration } from "@tocsin/model";
import { errorMessage, type Clock } from "@tocsin/platform";
import { fetch, type Dispatcher, type Response } from "undici";
import type { ScrapeJob } from "./config.ts";
import { credentialHeaders } from "./credentials.ts";
import type { ExpositionFormat } from "./exposition.ts";
import type { Target } from "./target.ts";

export interface FetchDeps {
  clock: Clock;
  /** Keeps connections open between scrapes. */
  dispatcher: Dispatcher;
}

export interface FetchedText {
  text: string;
  format: ExpositionFormat;
}

const ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Gets a target's metrics. Throws an Error whose message says why it could not. */
export async function fetchMetrics(
  target: Target,
  job: ScrapeJob,
  { clock, dispatcher }: FetchDeps,
  stop: AbortSignal,
): Promise<FetchedText> {
  const controller = new AbortController();
  const onStop = () => controller.abort(new Error("scraping has stopped"));
  stop.addEventListener("abort", onStop, { once: true });
  const timer = clock.schedule(target.timeoutMs, () =>
    controller.abort(new Error(`the target did not answer within ${formatDuration(target.timeoutMs)}`)),
  );
  try {
    const response = await fetch(target.url, {
      headers: {
        accept: ACCEPT,
        "user-agent": "Tocsin",
        "x-prometheus-scrape-timeout-seconds": String(target.timeoutMs / 1000),
        ...(await credentialHeaders(job)),
      },
      redirect: job.follow_redirects ? "follow" : "manual",
      signal: controller.signal,
      dispatcher,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`server returned HTTP status ${response.status} ${response.statusText}`.trimEnd());
    }
    const openMetrics = (response.headers.get("content-type") ?? "").startsWith("application/openmetrics-text");
    return { text: await readText(response, job.body_size_limit), format: openMetrics ? "openmetrics" : "prometheus" };
  } catch (error) {
    throw controller.signal.aborted ? (controller.signal.reason as Error) : explainFailure(error);
  } finally {
    timer[Symbol.dispose]();
    stop.removeEventListener("abort", onStop);
  }
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (maxBytes > 0 && length > maxBytes) throw new Error(`body size limit of ${maxBytes} bytes exceeded`);
    chunks.push(chunk);
  }
  try {
    return utf8.decode(Buffer.concat(chunks, length));
  } catch (cause) {
    throw new Error("the body is not valid UTF-8", { cause });
  }
}

/** `fetch failed` says nothing; its cause does. */
export function explainFailure(error: unknown): Error {
  const cause = error instanceof TypeError && error.cause !== undefined ? error.cause : error;
  if (cause instanceof AggregateError && cause.errors.length > 0)
    return new Error(errorMessage(cause.errors[0]), { cause });
  return new Error(errorMessage(cause), { cause });
}
