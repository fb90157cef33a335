import { Problem } from "@tocsin/model";
import { z } from "zod";

/** A request that did not bring what was asked for; `message` is fit for people, `requestId` for the server's log. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** HTTP status; 0 when there was no answer at all. */
  readonly status: number;
  readonly path: string;
  readonly requestId: string | undefined;

  constructor(message: string, path: string, status: number, requestId?: string, options?: ErrorOptions) {
    super(message, options);
    this.path = path;
    this.status = status;
    this.requestId = requestId;
  }
}

export type Params = Record<string, string | number | boolean | readonly string[] | undefined>;

export interface RequestOptions {
  params?: Params;
  signal?: AbortSignal;
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
}

const AlertmanagerError = z.union([z.string(), z.object({ message: z.string() })]);
const PrometheusError = z.object({ status: z.literal("error"), errorType: z.string(), error: z.string() });

/** `{ a: 1, b: ["x", "y"], c: undefined }` → `?a=1&b=x&b=y`; empty when there is nothing to say. */
export function queryString(params: Params = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value === undefined || value === "") continue;
    if (Array.isArray(value)) for (const each of value) search.append(name, each);
    else search.set(name, String(value));
  }
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

/** Fetches JSON and parses it with `schema`. Throws ApiError: for no answer, for a status of 400 and up, for a shape that is not the API's. */
export async function getJson<T>(path: string, schema: z.ZodType<T>, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options);
  const parsed = schema.safeParse(await bodyOf(response));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const place = issue === undefined ? "" : `${issue.path.join(".")}: ${issue.message}`;
  throw new ApiError(`unexpected answer (${place})`, path, response.status, requestIdOf(response));
}

/** Sends a request whose answer's body does not matter. Throws ApiError. */
export async function sendJson(path: string, options: RequestOptions): Promise<void> {
  await send(path, options);
}

/** The `data` of a Prometheus API envelope. Throws ApiError. */
export async function getPrometheus<T>(path: string, schema: z.ZodType<T>, options: RequestOptions = {}): Promise<T> {
  const envelope = z.object({ status: z.literal("success"), data: schema });
  return (await getJson(`/api/v1/${path}`, envelope, options)).data;
}

async function send(path: string, { params, signal, method = "GET", body }: RequestOptions): Promise<Response> {
  const response = await fetch(path + queryString(params), {
    method,
    headers: { accept: "application/json", ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  }).catch((cause: unknown) => {
    if (signal?.aborted === true) throw cause;
    throw new ApiError("no answer from the server", path, 0, undefined, { cause });
  });
  if (response.ok) return response;
  throw new ApiError(explain(await bodyOf(response), response.status), path, response.status, requestIdOf(response));
}

/** JSON when it is JSON, else the text. */
async function bodyOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (!/\bjson\b/.test(response.headers.get("content-type") ?? "")) return text;
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new ApiError("the answer is not valid JSON", response.url, response.status, requestIdOf(response), { cause });
  }
}

/** The reason in an error's body: RFC 9457, Prometheus' envelope, Alertmanager's string or object, or plain text. */
export function explain(body: unknown, status: number): string {
  const problem = Problem.safeParse(body);
  if (problem.success) return problem.data.detail ?? problem.data.title;
  const prometheus = PrometheusError.safeParse(body);
  if (prometheus.success) return prometheus.data.error;
  const alertmanager = AlertmanagerError.safeParse(body);
  if (!alertmanager.success || alertmanager.data === "") return `HTTP ${status}`;
  const text = typeof alertmanager.data === "string" ? alertmanager.data : alertmanager.data.message;
  return text.startsWith("<") ? `HTTP ${status}` : text.slice(0, 500);
}

function requestIdOf(response: Response): string | undefined {
  return response.headers.get("x-request-id") ?? undefined;
}
