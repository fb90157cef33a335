import type { z } from "zod";
import { atMostOne, mapOf, object, requiredText, text, url } from "../../config/fields.ts";
import { httpConfig, secretFile, secretKey, sendResolved, template } from "../../config/receiver-fields.ts";

const RESERVED = [
  "routing_key",
  "message_type",
  "state_message",
  "entity_display_name",
  "monitoring_tool",
  "entity_id",
  "entity_state",
];

export const VictoropsConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig,
  api_url: url.optional().describe("the REST integration; default victorops_api_url"),
  api_key: secretKey("its key; default victorops_api_key"),
  api_key_file: secretFile("the key"),
  routing_key: requiredText.describe("what maps the alert to a team; a template may stand in it"),
  message_type: template("CRITICAL", "CRITICAL, WARNING or INFO; anything else becomes CRITICAL"),
  state_message: template('{{ template "victorops.default.state_message" . }}', "at most 20480 characters"),
  entity_display_name: template('{{ template "victorops.default.entity_display_name" . }}', "title"),
  monitoring_tool: template('{{ template "victorops.default.monitoring_tool" . }}', "where it comes from"),
  custom_fields: mapOf(text).optional().describe("further fields"),
}).superRefine((victorops, context) => {
  atMostOne(context, victorops, "api_key", "api_key_file");
  for (const name of Object.keys(victorops.custom_fields ?? {})) {
    if (RESERVED.includes(name))
      context.addIssue({
        code: "custom",
        path: ["custom_fields", name],
        message: `the field ${name} cannot be a custom one`,
      });
  }
});
export type VictoropsConfig = z.output<typeof VictoropsConfig>;
