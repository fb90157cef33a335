import type { z } from "zod";
import { atMostOne, bool, field, list, mapOf, object, text, url } from "../../config/fields.ts";
import {
  httpConfig,
  optionalTemplate,
  secretFile,
  secretKey,
  sendResolved,
  template,
} from "../../config/receiver-fields.ts";

const RESPONDER_TYPES = ["team", "teams", "user", "escalation", "schedule"];

const ResponderType = field(
  (tree) => {
    const value = text.parse(tree);
    if (value.includes("{{")) return value;
    if (!RESPONDER_TYPES.includes(value.toLowerCase())) throw new Error(`must be one of ${RESPONDER_TYPES.join(", ")}`);
    return value.toLowerCase();
  },
  (value) => value,
);

const Responder = object({
  id: text.optional().describe("its id"),
  name: text.optional().describe("its name; several teams, separated by commas, with type teams"),
  username: text.optional().describe("a user's name"),
  type: ResponderType.describe("team, teams, user, escalation or schedule"),
}).superRefine(({ id, name, username }, context) => {
  if (!id && !name && !username)
    context.addIssue({ code: "custom", message: "a responder needs at least one of id, username and name" });
});

export const OpsgenieConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig,
  api_url: url.optional().describe("the API; default opsgenie_api_url"),
  api_key: secretKey("key of the integration; default opsgenie_api_key"),
  api_key_file: secretFile("the key"),
  message: template('{{ template "opsgenie.default.message" . }}', "title, at most 130 characters"),
  description: template('{{ template "opsgenie.default.description" . }}', "text of the alert"),
  source: template('{{ template "opsgenie.default.source" . }}', "link back"),
  details: mapOf(text).optional().describe("key-value pairs beside the common labels"),
  entity: optionalTemplate("what the alert is about"),
  responders: list(Responder).optional().describe("who is told"),
  actions: optionalTemplate("custom actions, separated by commas"),
  tags: optionalTemplate("tags, separated by commas"),
  note: optionalTemplate("additional note"),
  priority: optionalTemplate("P1 to P5"),
  update_alerts: bool.optional().describe("keep message and description of an open alert up to date"),
}).superRefine((opsgenie, context) => atMostOne(context, opsgenie, "api_key", "api_key_file"));
export type OpsgenieConfig = z.output<typeof OpsgenieConfig>;
