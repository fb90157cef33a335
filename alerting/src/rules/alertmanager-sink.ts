import type { AlertSink } from "../query-source.ts";

export interface AlertmanagerSinkOptions {
  /** Base addresses of all Alertmanagers of a cluster, e.g. `http://alertmanager:9093`. */
  urls: readonly string[];
  headers?: Readonly<Record<string, string>>;
  /** Default 10 s. */
  timeoutMs?: number;
}

/** Posts alerts to every Alertmanager; it is enough when one takes them, for they tell each other what they sent. */
export function createAlertmanagerSink(options: AlertmanagerSinkOptions): AlertSink {
  const endpoints = options.urls.map((url) => `${url.replace(/\/+$/, "")}/api/v2/alerts`);
  return {
    async send(alerts) {
      const body = JSON.stringify(alerts);
      await Promise.any(endpoints.map((endpoint) => post(endpoint, body, options))).catch((error: unknown) => {
        const reasons = error instanceof AggregateError ? error.errors.map(String).join("; ") : String(error);
        throw new Error(`no Alertmanager took the alerts: ${reasons}`, { cause: error });
      });
    },
  };
}

async function post(endpoint: string, body: string, options: AlertmanagerSinkOptions): Promise<void> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: { ...options.headers, "content-type": "application/json" },
    body,
    signal: AbortSignal.timeout(options.timeoutMs ?? 10_000),
  });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${endpoint} answered ${response.status}: ${answer.slice(0, 200)}`);
}
