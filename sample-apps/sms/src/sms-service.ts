import { withSpan } from "@tocsin/sdk";
import type { FastifyBaseLogger } from "fastify";
import type { Registry } from "prom-client";
import { FailOver } from "./fail-over.ts";
import { smsMetrics } from "./metrics.ts";
import { maskPhone, type Message, Outbox } from "./outbox.ts";
import { type Sms, type SmsProvider } from "./provider.ts";
import { SendQueue } from "./send-queue.ts";

export interface SmsServiceOptions {
  providers: readonly [SmsProvider, ...SmsProvider[]];
  now: () => number;
  log: FastifyBaseLogger;
  registry: Registry;
}

/** Takes messages, sends them with fail-over, and remembers what became of each. */
export class SmsService {
  readonly metrics: ReturnType<typeof smsMetrics>;
  readonly #options: SmsServiceOptions;
  readonly #outbox = new Outbox(5000);
  readonly #queue = new SendQueue({ concurrency: 32, capacity: 500 });
  readonly #failOver: FailOver;

  constructor(options: SmsServiceOptions) {
    this.#options = options;
    this.#failOver = new FailOver(
      options.providers,
      { failuresToDown: 3, retryAfterMs: 10_000, now: options.now },
      {
        attempt: (provider, sms) => this.#attempt(provider, sms),
        failedOver: (from, to, err) => {
          this.metrics.failOvers.inc({ from, to });
          options.log.warn({ from, to, err }, "failing over to the next provider");
        },
        changed: (provider, up) => {
          if (up) options.log.info({ provider }, "provider is up again");
          else options.log.error({ provider }, "provider marked down");
        },
      },
    );
    this.metrics = smsMetrics(options.registry, { failOver: () => this.#failOver, queue: this.#queue });
  }

  message(id: string): Message | undefined {
    return this.#outbox.get(id);
  }

  /** Sends and waits for the outcome; `refused` when the queue is full. An id that was seen before is not sent again. */
  async send(id: string, template: string, sms: Sms): Promise<Message | "refused"> {
    const known = this.#outbox.get(id);
    if (known !== undefined && known.status !== "failed") return known;
    const createdAt = new Date(this.#options.now()).toISOString();
    const to = maskPhone(sms.to);
    const message: Message = { id, to, template, status: "sending", provider: null, createdAt, error: null };
    this.#outbox.put(message);
    const turn = await this.#queue.run(() => this.#failOver.send(sms));
    if (!turn.accepted) {
      this.metrics.refused.inc();
      message.status = "failed";
      message.error = "queue full";
      this.#options.log.error({ messageId: id, to }, "message refused, queue full");
      return "refused";
    }
    const { value: delivery } = turn;
    this.metrics.messages.inc({ provider: delivery.provider, outcome: delivery.outcome });
    message.status = delivery.outcome;
    message.provider = delivery.provider;
    if (delivery.outcome === "delivered") {
      this.#options.log.info({ messageId: id, to, template, provider: delivery.provider }, "message delivered");
    } else {
      message.error = delivery.error instanceof Error ? delivery.error.message : String(delivery.error);
      this.#options.log.error(
        { messageId: id, to, template, provider: delivery.provider, err: delivery.error },
        "message failed at every provider",
      );
    }
    return message;
  }

  async #attempt(provider: SmsProvider, sms: Sms): Promise<void> {
    const stop = this.metrics.duration.startTimer({ provider: provider.name });
    try {
      await withSpan(`${provider.name} send`, { kind: "client", attributes: { "peer.service": provider.name } }, () =>
        provider.send(sms),
      );
    } finally {
      stop();
    }
  }
}
