import type { z } from "zod";
import { bool, count, goDuration, object, secretTemplateUrl, text, untyped } from "../../config/fields.ts";
import { HttpClientConfig } from "../../config/http-client-config.ts";

export const WebhookConfig = object({
  send_resolved: bool.default(true),
  http_config: HttpClientConfig.optional(),
  url: secretTemplateUrl.optional(),
  url_file: text.optional(),
  max_alerts: count.default(0),
  timeout: goDuration.optional(),
  payload: untyped.optional(),
}).superRefine((webhook, context) => {
  if ((webhook.url === undefined) === (webhook.url_file === undefined))
    context.addIssue({ code: "custom", message: "exactly one of url and url_file must be set" });
});
export type WebhookConfig = z.output<typeof WebhookConfig>;
