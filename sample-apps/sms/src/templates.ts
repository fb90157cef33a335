import { z } from "zod";

/** The messages this service sends. Only alerts, which operators get, are free text. */
export const Template = z.discriminatedUnion("template", [
  z.strictObject({
    template: z.literal("order_confirmation"),
    orderId: z.string().max(64),
    amountYuan: z.number().min(0),
  }),
  z.strictObject({ template: z.literal("order_shipped"), orderId: z.string().max(64), carrier: z.string().max(32) }),
  z.strictObject({ template: z.literal("alert"), text: z.string().min(1).max(500) }),
]);
export type Template = z.infer<typeof Template>;

export function render(message: Template): string {
  switch (message.template) {
    case "order_confirmation":
      return `Your order ${message.orderId} over ¥${message.amountYuan.toFixed(2)} is confirmed.`;
    case "order_shipped":
      return `Your order ${message.orderId} is on its way with ${message.carrier}.`;
    case "alert":
      return message.text;
  }
}

export const codeText = (code: string, minutes: number): string =>
  `${code} is your login code. It is good for ${minutes} minutes; never share it.`;
