import type { Clock } from "@tocsin/platform";
import type { Cardinality } from "../metrics/cardinality.ts";
import type { MetricStore, StoreStatus } from "../metrics/metric-store.ts";
import type { Answer } from "./envelope.ts";
import type { Parameters } from "./parameters.ts";

export interface PrometheusQueryApiOptions {
  /** The embedded store, or one over a Prometheus. */
  store: MetricStore & { stats(): Promise<StoreStatus>; cardinality(limit: number): Promise<Cardinality> };
  clock: Clock;
  /** Tocsin's own version, for `status/buildinfo`. */
  version: string;
  /** The configuration as YAML, for `status/config`. */
  configText: () => string;
  /** Flags by name, for `status/flags`. */
  flags: () => Readonly<Record<string, string>>;
  /** For `status/runtimeinfo`: how long samples are kept, as text like `200h`. */
  retention: string;
}

/** What a route has to work with. */
export interface RouteContext extends PrometheusQueryApiOptions {
  parameters: Parameters;
  /** Path parameters. */
  path: Readonly<Record<string, string>>;
  /** Aborted when the client goes away. */
  signal: AbortSignal;
  startedMs: number;
}

/** One endpoint below `/api/v1/`. */
export interface Route {
  path: string;
  /** Whether POST with a form is answered, too. */
  post?: true;
  answer(context: RouteContext): Answer | Promise<Answer>;
}
