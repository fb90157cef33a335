import { z } from "zod";

export const PostOrder = z.strictObject({
  client: z.string().min(1).max(64),
  phone: z.string().regex(/^\+[1-9]\d{6,14}$/, "must be a phone number like +8613800000001"),
  items: z
    .array(
      z.strictObject({
        sku: z.string().min(1).max(32),
        quantity: z.number().int().min(1).max(99),
        priceYuan: z.number().min(0).max(100_000),
      }),
    )
    .min(1)
    .max(50),
});
export type PostOrder = z.infer<typeof PostOrder>;

export interface Order {
  id: string;
  client: string;
  items: PostOrder["items"];
  valueYuan: number;
  /** RFC 3339 */
  createdAt: string;
  confirmation: "sent" | "failed";
}

export const valueYuan = (items: PostOrder["items"]): number =>
  Math.round(items.reduce((sum, { quantity, priceYuan }) => sum + quantity * priceYuan, 0) * 100) / 100;

/** The newest orders, by id. */
export class OrderBook {
  readonly #limit: number;
  readonly #orders = new Map<string, Order>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get(id: string): Order | undefined {
    return this.#orders.get(id);
  }

  add(order: Order): void {
    this.#orders.set(order.id, order);
    for (const oldest of this.#orders.keys()) {
      if (this.#orders.size <= this.#limit) break;
      this.#orders.delete(oldest);
    }
  }
}
