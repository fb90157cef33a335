import { setTimeout as sleep } from "node:timers/promises";

export interface Sms {
  /** E.164, e.g. `+8613800000001`. */
  to: string;
  text: string;
}

/** A company that brings messages to phones. */
export interface SmsProvider {
  readonly name: string;
  /** Resolves when the provider has taken the message; rejects with ProviderError when it has not. */
  send(sms: Sms): Promise<void>;
}

class ProviderError extends Error {
  override readonly name = "ProviderError";
  readonly provider: string;

  constructor(provider: string, message: string) {
    super(`${provider}: ${message}`);
    this.provider = provider;
  }
}

export interface SimulatedProviderOptions {
  name: string;
  /** How long it usually takes. Every tenth message or so takes up to four times as long. */
  typicalMs: number;
  /** 0…1: its everyday failures. */
  failureRatio: number;
  random: () => number;
  /** Asked before each message: what is broken on purpose at the moment. */
  weather: () => { outage: boolean; extraMs: number };
  /** Called with each message that arrived. */
  deliver: (sms: Sms) => void;
}

/** Stands in for a provider's HTTP API. */
export class SimulatedProvider implements SmsProvider {
  readonly name: string;
  readonly #options: SimulatedProviderOptions;

  constructor(options: SimulatedProviderOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async send(sms: Sms): Promise<void> {
    const { typicalMs, failureRatio, random, weather, deliver } = this.#options;
    const { outage, extraMs } = weather();
    if (outage) {
      await sleep(5);
      throw new ProviderError(this.name, "connection refused");
    }
    const slow = random() < 0.1 ? 1 + 3 * random() : 1;
    await sleep(typicalMs * (0.7 + 0.6 * random()) * slow + extraMs);
    if (random() < failureRatio) throw new ProviderError(this.name, "503 temporarily unavailable");
    deliver(sms);
  }
}
