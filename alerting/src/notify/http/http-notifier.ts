import { errorMessage, type Secret } from "@tocsin/platform";
import type { z } from "zod";
import { checkUrl } from "../../config/fields.ts";
import { DEFAULT_HTTP_CLIENT, settleHttpConfig, type HttpClientConfig } from "../../config/http-client-config.ts";
import type { Notifier, NotifierDeps, NotifyResult, SettleContext } from "../integration.ts";
import type { Notification } from "../notification.ts";
import type { NotificationData } from "../template-data.ts";
import { HttpClient, networkFailure, secretOf, type HttpRequest, type HttpResponse } from "./http-client.ts";
import { redact, secretsIn } from "./redact.ts";

/** What blocks of integrations over HTTP have in common. */
export interface HttpBlock {
  readonly http_config?: HttpClientConfig | undefined;
  /** Milliseconds; 0 or nothing waits until the flush's deadline. */
  readonly timeout?: number | undefined;
  /** How many alerts are told of at most; 0 or nothing is all. */
  readonly max_alerts?: number | undefined;
}

/** A block's `http_config` replaces the global one completely. */
export function settledHttp(
  { http_config: own }: HttpBlock,
  { global, directory }: SettleContext,
): { http_config: HttpClientConfig } {
  return { http_config: own ? settleHttpConfig(own, directory) : global.http_config };
}

export interface CallRequest extends Omit<HttpRequest, "signal" | "method" | "onSecret"> {
  /** Default POST. */
  readonly method?: HttpRequest["method"];
  /** Sent as a JSON body. */
  readonly json?: unknown;
}

/** One attempt to tell of one notification, with what it takes to render and send it. */
export class HttpCall {
  readonly notification: Notification;
  readonly deps: NotifierDeps;
  readonly data: NotificationData;
  /** Secrets that do not stand in the block: from files, or given by a service. */
  readonly hidden: string[] = [];
  /** How many alerts `max_alerts` cut off before status and common labels were computed. */
  readonly truncatedAlerts: number;
  readonly #client: HttpClient;
  readonly #signal: AbortSignal;

  constructor(
    notification: Notification,
    maxAlerts: number | undefined,
    deps: NotifierDeps,
    client: HttpClient,
    signal: AbortSignal,
  ) {
    const { alerts } = notification;
    const kept = maxAlerts === undefined || maxAlerts === 0 ? alerts : alerts.slice(0, maxAlerts);
    this.notification = { ...notification, alerts: kept };
    this.truncatedAlerts = alerts.length - kept.length;
    this.deps = deps;
    this.data = deps.templates.data(this.notification);
    this.#client = client;
    this.#signal = signal;
  }

  get firing(): boolean {
    return this.data.status === "firing";
  }

  /** Renders a text template; empty when there is none. */
  text(template: string | undefined): string {
    return template === undefined ? "" : this.deps.templates.text(template, this.data);
  }

  html(template: string): string {
    return this.deps.templates.html(template, this.data);
  }

  /** A secret from the block or else from its file, trimmed. */
  async secret(value: Secret | undefined, file: string | undefined): Promise<string> {
    if (value !== undefined) return value.reveal();
    const content = await secretOf(file);
    this.hidden.push(content);
    return content;
  }

  /** Resolves with whatever is answered; without an answer the whole attempt ends and is tried again. */
  async send({ method = "POST", url, json, body, headers }: CallRequest): Promise<HttpResponse> {
    checkUrl(url);
    try {
      return await this.#client.send({
        method,
        url,
        headers: { ...(json !== undefined && { "content-type": "application/json" }), ...headers },
        ...(json === undefined ? body !== undefined && { body } : { body: `${JSON.stringify(json)}\n` }),
        signal: this.#signal,
        onSecret: (secret) => this.hidden.push(secret),
      });
    } catch (error) {
      throw new NoAnswer(error);
    }
  }
}

class NoAnswer extends Error {
  constructor(cause: unknown) {
    super("no answer", { cause });
  }
}

/**
 * A notifier over HTTP: `attempt` renders, sends and judges the answer. No answer is tried again, a template or secret
 * that fails is final, and no error repeats a secret.
 */
export function httpNotifier(
  block: HttpBlock,
  deps: NotifierDeps,
  attempt: (call: HttpCall) => Promise<NotifyResult>,
  { noAnswerIs = "retry" }: { noAnswerIs?: "retry" | "failed" } = {},
): Notifier {
  const client = new HttpClient(block.http_config ?? DEFAULT_HTTP_CLIENT, deps);
  const known = secretsIn(block);
  return {
    async notify(notification, signal) {
      const call = new HttpCall(notification, block.max_alerts, deps, client, withTimeout(signal, block.timeout));
      const result = await attempt(call).catch((error: unknown) => failure(error, noAnswerIs));
      return result.status === "sent" ? result : { ...result, error: redact(result.error, [...known, ...call.hidden]) };
    },
    close: () => client.close(),
  };
}

function failure(error: unknown, noAnswerIs: "retry" | "failed"): NotifyResult {
  if (error instanceof NoAnswer) return { ...networkFailure(error.cause), status: noAnswerIs };
  return { status: "failed", reason: "other", error: errorMessage(error) };
}

function withTimeout(signal: AbortSignal, timeoutMs = 0): AbortSignal {
  return timeoutMs === 0 ? signal : AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
}

/** An answer's JSON in the shape a service promises; undefined when it is something else. */
export function answerOf<T extends z.ZodType>(schema: T, { body }: HttpResponse): z.output<T> | undefined {
  try {
    return schema.safeParse(JSON.parse(body)).data;
  } catch {
    // No JSON at all.
    return undefined;
  }
}
