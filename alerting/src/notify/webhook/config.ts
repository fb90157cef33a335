import type { z } from "zod";
import { count, exactlyOne, object, secretTemplateUrl, text, untyped } from "../../config/fields.ts";
import { httpConfig, sendResolved, timeout } from "../../config/receiver-fields.ts";

export const WebhookConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig,
  url: secretTemplateUrl.optional().describe("where it goes; a template may stand in it"),
  url_file: text.optional().describe("file with the address, read at each notification"),
  max_alerts: count.default(0).describe("how many alerts are told of at most; 0 is all"),
  timeout,
  payload: untyped.optional().describe("body instead of the standard one; every text in it is a template"),
}).superRefine((webhook, context) => exactlyOne(context, webhook, "url", "url_file"));
export type WebhookConfig = z.output<typeof WebhookConfig>;
