import type { BusMessage, BusProducer, SendResult } from "@tocsin/bus";
import {
  decodeLogs,
  decodeMetrics,
  decodeTraces,
  otlpToSamples,
  type LogRecord,
  type Span,
  type WriteRequest,
} from "@tocsin/model";

/** A bus that keeps what it gets and answers as told. */
export class RecordingBus implements BusProducer {
  readonly messages: BusMessage[] = [];
  /** The answer to the next sends; a promise holds them. */
  answer: SendResult | Promise<SendResult> = { status: "ok" };

  async send(message: BusMessage): Promise<SendResult> {
    this.messages.push(message);
    return this.answer;
  }

  get logs(): LogRecord[] {
    return this.#of("otlp_logs").flatMap(({ value }) => decodeLogs(value));
  }

  get spans(): Span[] {
    return this.#of("otlp_spans").flatMap(({ value }) => decodeTraces(value));
  }

  /** The samples of each message, as the metric store gets them. */
  get samples(): WriteRequest[] {
    return this.#of("otlp_metrics").map(({ value }) => otlpToSamples(decodeMetrics(value)).request);
  }

  #of(topic: BusMessage["topic"]): BusMessage[] {
    return this.messages.filter((message) => message.topic === topic);
  }
}
