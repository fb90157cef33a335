import type { Secret } from "@tocsin/platform";
import { fetch } from "undici";
import { z } from "zod";
import { refusal, requestJson, withDeadline, type RequestDeps } from "../request.ts";

export interface EtcdClientOptions {
  /** Tried in turn: the next one after a failure. */
  endpoints: readonly string[];
  username: string | undefined;
  password: Secret | undefined;
}

export interface KeyValue {
  key: string;
  value: string;
  /** Decimal; undefined for a key without a lease. */
  lease: string | undefined;
}

export type WatchEvent = { type: "put"; entry: KeyValue } | { type: "delete"; key: string };

const fromBase64 = z.string().transform((text) => Buffer.from(text, "base64").toString("utf8"));
const KeyValueWire = z
  .object({ key: fromBase64, value: fromBase64.default(""), lease: z.string().optional() })
  .transform((entry): KeyValue => ({ key: entry.key, value: entry.value, lease: entry.lease }));
const RangeAnswer = z.object({
  header: z.object({ revision: z.string() }),
  kvs: z.array(KeyValueWire).default([]),
  more: z.boolean().default(false),
});
const WatchMessage = z.object({
  error: z.object({ message: z.string().optional() }).optional(),
  result: z
    .object({
      canceled: z.boolean().default(false),
      cancel_reason: z.string().optional(),
      events: z.array(z.object({ type: z.enum(["PUT", "DELETE"]).default("PUT"), kv: KeyValueWire })).default([]),
    })
    .optional(),
});

const TIMEOUT_MS = 5000;
const MAX_ENTRIES = 10_000;
const MAX_LINE_BYTES = 16 * 1024 * 1024;

/** What discovery needs of etcd, over the HTTP/JSON gateway of its v3 API (etcd 3.4 and later). */
export class EtcdClient {
  readonly #options: EtcdClientOptions;
  readonly #deps: RequestDeps;
  #turn = 0;

  constructor(options: EtcdClientOptions, deps: RequestDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  /** Begins a session at one endpoint. Tokens of etcd end after minutes, so that every session has its own. */
  async open(signal: AbortSignal): Promise<EtcdSession> {
    const { endpoints, username, password } = this.#options;
    const endpoint = (endpoints[this.#turn % endpoints.length] ?? "").replace(/\/$/, "");
    if (username === undefined) return new EtcdSession(endpoint, undefined, this.#deps);
    const body = JSON.stringify({ name: username, password: password?.reveal() ?? "" });
    const request = { url: `${endpoint}/v3/auth/authenticate`, schema: z.object({ token: z.string() }), body };
    const { data } = await requestJson({ ...request, method: "POST", timeoutMs: TIMEOUT_MS }, this.#deps, signal);
    return new EtcdSession(endpoint, data.token, this.#deps);
  }

  /** Makes the next session try the next endpoint. */
  moveOn(): void {
    this.#turn += 1;
  }
}

export class EtcdSession {
  readonly #endpoint: string;
  readonly #headers: Record<string, string>;
  readonly #deps: RequestDeps;

  constructor(endpoint: string, token: string | undefined, deps: RequestDeps) {
    this.#endpoint = endpoint;
    this.#headers = { "content-type": "application/json", ...(token !== undefined && { authorization: token }) };
    this.#deps = deps;
  }

  /** All keys below a prefix, and the revision at which they were so. */
  async list(prefix: string, signal: AbortSignal): Promise<{ entries: KeyValue[]; revision: bigint }> {
    const { data } = await requestJson(
      {
        url: `${this.#endpoint}/v3/kv/range`,
        method: "POST",
        headers: this.#headers,
        body: JSON.stringify({ ...below(prefix), limit: String(MAX_ENTRIES) }),
        schema: RangeAnswer,
        timeoutMs: TIMEOUT_MS,
      },
      this.#deps,
      signal,
    );
    if (data.more) throw new Error(`there are more than ${MAX_ENTRIES} keys below ${prefix}`);
    return { entries: data.kvs, revision: BigInt(data.header.revision) };
  }

  /**
   * What changes below a prefix from a revision on, in batches. Ends with an Error when the watch breaks off or the
   * revision has been compacted, or with the signal's reason.
   */
  async *watch(prefix: string, fromRevision: bigint, signal: AbortSignal): AsyncGenerator<WatchEvent[]> {
    const create_request = { ...below(prefix), start_revision: String(fromRevision) };
    // The deadline is for the answer's head, which etcd sends as soon as the watch is there; what follows takes its time.
    const response = await withDeadline(this.#deps.clock, TIMEOUT_MS, signal, async (deadline) => {
      const head = new AbortController();
      const onDeadline = () => head.abort(deadline.reason);
      deadline.addEventListener("abort", onDeadline, { once: true });
      signal.addEventListener("abort", () => head.abort(signal.reason), { once: true });
      const answer = await fetch(`${this.#endpoint}/v3/watch`, {
        method: "POST",
        headers: this.#headers,
        body: JSON.stringify({ create_request }),
        signal: head.signal,
        dispatcher: this.#deps.dispatcher,
      });
      deadline.removeEventListener("abort", onDeadline);
      return answer;
    });
    if (response.status !== 200) throw await refusal(response);
    for await (const line of lines(response.body ?? [])) {
      const { error, result } = WatchMessage.parse(JSON.parse(line));
      if (error) throw new Error(`the watch failed: ${error.message ?? "etcd does not say why"}`);
      if (result?.canceled) throw new Error(`the watch was cancelled: ${result.cancel_reason ?? "compacted"}`);
      if (result && result.events.length > 0) yield result.events.map(toEvent);
    }
    throw new Error("the watch ended");
  }
}

function toEvent({ type, kv }: { type: "PUT" | "DELETE"; kv: KeyValue }): WatchEvent {
  return type === "PUT" ? { type: "put", entry: kv } : { type: "delete", key: kv.key };
}

/** Keys with a prefix, as etcd wants it: from the prefix to the prefix with its last byte one higher. */
function below(prefix: string): { key: string; range_end: string } {
  const end = Buffer.from(prefix);
  end[end.length - 1] = (end.at(-1) ?? 0) + 1;
  return { key: Buffer.from(prefix).toString("base64"), range_end: end.toString("base64") };
}

async function* lines(body: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const parts = rest.split("\n");
    rest = parts.pop() ?? "";
    if (rest.length > MAX_LINE_BYTES) throw new Error(`an event is above ${MAX_LINE_BYTES} bytes`);
    for (const part of parts) if (part !== "") yield part;
  }
}
