import type { z } from "zod";
import { object, requiredText, url } from "../../config/fields.ts";
import { httpConfig, sendResolved, template } from "../../config/receiver-fields.ts";

export const WebexConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig.describe("how to connect; its authorization holds the bot's token"),
  api_url: url.optional().describe("the API; default webex_api_url"),
  room_id: requiredText.describe("the room; a template may stand in it"),
  message: template('{{ template "webex.default.message" . }}', "Markdown, at most 7439 bytes"),
}).superRefine(({ http_config: http }, context) => {
  if ((http?.authorization ?? http?.bearer_token ?? http?.bearer_token_file) === undefined)
    context.addIssue({ code: "custom", message: "missing webex_configs.http_config.authorization" });
});
export type WebexConfig = z.output<typeof WebexConfig>;
