import { z } from "zod";
import { commonKeys, plainTemplate, plainUrl } from "../../config/extra-fields.ts";

export const SmsConfig = z.strictObject({
  ...commonKeys,
  url: plainUrl.describe("the SMS service; messages go to its /messages"),
  to: z
    .array(z.string().regex(/^\+[1-9]\d{6,14}$/, "must be a phone number like +8613800000001"))
    .min(1)
    .max(100)
    .describe("phone numbers, each told once"),
  message: plainTemplate('{{ template "sms.default.message" . }}', "at most 280 characters"),
});
export type SmsConfig = z.output<typeof SmsConfig>;
