export interface Message {
  id: string;
  to: string;
  template: string;
  status: "sending" | "delivered" | "failed";
  provider: string | null;
  /** RFC 3339 */
  createdAt: string;
  error: string | null;
}

/** The newest messages, by id. */
export class Outbox {
  readonly #limit: number;
  readonly #messages = new Map<string, Message>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(id: string): Message | undefined {
    return this.#messages.get(id);
  }

  put(message: Message): void {
    this.#messages.set(message.id, message);
    for (const oldest of this.#messages.keys()) {
      if (this.#messages.size <= this.#limit) break;
      this.#messages.delete(oldest);
    }
  }
}

/** `+8613800001234` → `+86*******1234`: enough to recognise, too little to call. */
export const maskPhone = (phone: string): string =>
  phone.slice(0, 3) + "*".repeat(Math.max(0, phone.length - 7)) + phone.slice(-4);
