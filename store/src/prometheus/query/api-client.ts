import { QueryError, type QueryErrorKind } from "@tocsin/promql";
import { TocsinError } from "@tocsin/platform";
import { z } from "zod";
import type { HttpAnswer, HttpClient } from "../http-client.ts";

const Failure = z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() });

const QUERY_ERRORS: ReadonlySet<string> = new Set(["bad_data", "execution", "timeout", "canceled"] as const);
/** Whoever shows the error says so himself. */
const ABOUT_QUERY = /^invalid parameter "query": /;

export interface ApiQuestion {
  /** Below `/api/v1/`. */
  path: string;
  parameters?: readonly (readonly [name: string, value: string])[];
  /** Label values take no POST. */
  method?: "GET" | "POST";
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** Asks the Prometheus HTTP API. */
export class ApiClient {
  readonly #client: HttpClient;
  readonly #base: string;

  constructor(client: HttpClient, url: string) {
    this.#client = client;
    this.#base = `${url.replace(/\/$/, "")}/api/v1/`;
  }

  /**
   * The body of the successful answer. Rejects with QueryError when Prometheus refuses or gives up the query, and with
   * TOCSIN_UNAVAILABLE when it gives no answer of its own.
   */
  async ask({ path, parameters = [], method = "POST", timeoutMs, signal }: ApiQuestion): Promise<Uint8Array> {
    const form = new URLSearchParams(parameters.map(([name, value]): [string, string] => [name, value])).toString();
    const url = this.#base + path;
    const answer = await this.#send(
      method === "GET"
        ? { method, url: form === "" ? url : `${url}?${form}`, timeoutMs, signal }
        : {
            method,
            url,
            body: form,
            headers: { "content-type": "application/x-www-form-urlencoded" },
            timeoutMs,
            signal,
          },
    );
    if (answer.status === 200) return answer.body;
    throw failure(answer, url);
  }

  /** The `data` of the answer. */
  async data(question: ApiQuestion): Promise<unknown> {
    return (readAnswer(await this.ask(question)) as { data: unknown }).data;
  }

  /** Remote read. */
  async read(body: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    const url = `${this.#base}read`;
    const answer = await this.#send({
      method: "POST",
      url,
      body,
      headers: {
        "content-encoding": "snappy",
        "content-type": "application/x-protobuf",
        "x-prometheus-remote-read-version": "0.1.0",
      },
      timeoutMs,
    });
    if (answer.status === 200) return answer.body;
    throw failure(answer, url);
  }

  async #send(question: Parameters<HttpClient["send"]>[0]): Promise<HttpAnswer> {
    try {
      return await this.#client.send(question);
    } catch (cause) {
      if (!question.signal?.aborted) throw cause;
      throw new QueryError("canceled", "query was canceled in query execution", { cause });
    }
  }
}

function failure({ status, body }: HttpAnswer, url: string): Error {
  const text = Buffer.from(body).toString();
  const told = Failure.safeParse(parseJson(text));
  if (told.success && QUERY_ERRORS.has(told.data.errorType)) {
    return new QueryError(told.data.errorType as QueryErrorKind, told.data.error.replace(ABOUT_QUERY, ""));
  }
  const reason = told.success ? told.data.error : (text.trim().split("\n", 1)[0] ?? "").slice(0, 200);
  return new TocsinError("TOCSIN_UNAVAILABLE", `${url} answers ${status}: ${reason}`);
}

/** The JSON of a successful answer. Throws TOCSIN_UNAVAILABLE when it is none: then no Prometheus is behind the address. */
export function readAnswer(body: Uint8Array): unknown {
  const answer = parseJson(Buffer.from(body).toString());
  if (typeof answer === "object" && answer !== null && "data" in answer) return answer;
  throw new TocsinError("TOCSIN_UNAVAILABLE", "store.prometheus.url answers, but not as a Prometheus does");
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
