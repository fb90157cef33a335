import type { Endpoints } from "@tocsin/sample-chassis";
import type { FastifyBaseLogger } from "fastify";
import { CircuitBreaker } from "./circuit-breaker.ts";
import type { GatewayMetrics, UpstreamOutcome } from "./metrics.ts";

/** What came of a call: an answer the caller can use, or no answer. */
export type UpstreamResult =
  | { status: "answered"; statusCode: number; body: unknown }
  | { status: "unavailable"; reason: "timeout" | "unreachable" | "server_error" | "circuit_open" | "no_instance" };

export interface UpstreamOptions {
  name: string;
  endpoints: Endpoints;
  timeoutMs: number;
  now: () => number;
  log: FastifyBaseLogger;
  metrics: GatewayMetrics;
}

const RETRIES = 1;

/** Another service behind a time limit, one retry and a circuit breaker. */
export class Upstream {
  readonly name: string;
  readonly #options: UpstreamOptions;
  readonly #breaker: CircuitBreaker;

  constructor(options: UpstreamOptions) {
    this.name = options.name;
    this.#options = options;
    this.#breaker = new CircuitBreaker({ failuresToOpen: 5, openMs: 5000, now: options.now });
  }

  get circuitOpen(): boolean {
    return this.#breaker.open;
  }

  /**
   * Posts JSON. The request must be safe to repeat: it is sent again once when no usable answer came, except after a
   * timeout, when the caller has waited long enough.
   */
  async post(path: string, payload: unknown): Promise<UpstreamResult> {
    let result = await this.#attempt(path, payload);
    for (let retry = 0; retry < RETRIES && isWorthRepeating(result); retry++) {
      result = await this.#attempt(path, payload);
    }
    return result;
  }

  async #attempt(path: string, payload: unknown): Promise<UpstreamResult> {
    const { name, metrics, log, endpoints } = this.#options;
    if (!this.#breaker.allows()) {
      metrics.upstreamRequests.inc({ upstream: name, outcome: "circuit_open" });
      return { status: "unavailable", reason: "circuit_open" };
    }
    const baseUrl = endpoints.next();
    if (baseUrl === undefined) {
      metrics.upstreamRequests.inc({ upstream: name, outcome: "no_instance" });
      log.warn({ upstream: name, path }, "no instance of the upstream is known");
      return { status: "unavailable", reason: "no_instance" };
    }
    const stop = metrics.upstreamDuration.startTimer({ upstream: name });
    const wasOpen = this.#breaker.open;
    const result = await this.#send(baseUrl, path, payload);
    stop();
    metrics.upstreamRequests.inc({ upstream: name, outcome: outcomeOf(result) });
    if (result.status === "answered") this.#breaker.succeeded();
    else this.#breaker.failed();
    if (this.#breaker.open !== wasOpen) {
      if (wasOpen) log.info({ upstream: name }, "circuit closed");
      else log.error({ upstream: name }, "circuit opened");
    }
    return result;
  }

  async #send(baseUrl: string, path: string, payload: unknown): Promise<UpstreamResult> {
    const { name, timeoutMs, log } = this.#options;
    try {
      const response = await fetch(new URL(path, baseUrl), {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(payload),
        signal: AbortSignal.timeout(timeoutMs),
      });
      const body: unknown = await response.json();
      // 502 is the upstream's considered answer that its own upstream failed; it is up itself.
      if (response.status < 500 || response.status === 502)
        return { status: "answered", statusCode: response.status, body };
      log.warn({ upstream: name, path, statusCode: response.status }, "upstream failed");
      return { status: "unavailable", reason: "server_error" };
    } catch (err) {
      const reason = err instanceof DOMException && err.name === "TimeoutError" ? "timeout" : "unreachable";
      log.warn({ upstream: name, path, err, timeoutMs }, `upstream ${reason}`);
      return { status: "unavailable", reason };
    }
  }
}

function isWorthRepeating(result: UpstreamResult): boolean {
  return result.status === "unavailable" && (result.reason === "unreachable" || result.reason === "server_error");
}

function outcomeOf(result: UpstreamResult): UpstreamOutcome {
  if (result.status === "unavailable") return result.reason;
  if (result.statusCode < 400) return "ok";
  return result.statusCode < 500 ? "refused" : "failed";
}
