import type { z } from "zod";
import { atMostOne, bool, list, object, text, url } from "../../config/fields.ts";
import {
  httpConfig,
  optionalTemplate,
  secretFile,
  secretKey,
  sendResolved,
  template,
} from "../../config/receiver-fields.ts";

const Field = object({
  title: text.optional().describe("name of the field"),
  value: text.optional().describe("its text"),
  short: bool.optional().describe("narrow enough to stand beside another; short_fields where it is not set"),
});

const Action = object({
  type: text.optional().describe("always sent as button"),
  text: text.optional().describe("label"),
  url: text.optional().describe("link of the button"),
  msg: text.optional().describe("message that the button sends"),
});

export const RocketchatConfig = object({
  send_resolved: sendResolved(false),
  http_config: httpConfig,
  api_url: url.optional().describe("the server; default rocketchat_api_url"),
  token: secretKey("token of the sender; default rocketchat_token"),
  token_file: secretFile("the token"),
  token_id: secretKey("user id of the sender; default rocketchat_token_id"),
  token_id_file: secretFile("the user id"),
  channel: optionalTemplate("channel or user"),
  color: template('{{ if eq .Status "firing" }}red{{ else }}green{{ end }}', "colour of the attachment"),
  title: template('{{ template "rocketchat.default.title" . }}', "at most 1024 characters"),
  title_link: template('{{ template "rocketchat.default.titlelink" . }}', "where the title leads"),
  text: template('{{ template "rocketchat.default.text" . }}', "text of the attachment"),
  fields: list(Field).optional().describe("fields of the attachment"),
  short_fields: bool.default(false).describe("whether fields stand side by side"),
  emoji: template('{{ template "rocketchat.default.emoji" . }}', "icon of the sender"),
  icon_url: template('{{ template "rocketchat.default.iconurl" . }}', "picture of the sender"),
  image_url: optionalTemplate("image in the attachment"),
  thumb_url: optionalTemplate("thumbnail in the attachment"),
  link_names: bool.default(false).describe("without effect, as in Alertmanager"),
  actions: list(Action).optional().describe("buttons"),
}).superRefine((rocketchat, context) => {
  atMostOne(context, rocketchat, "token", "token_file");
  atMostOne(context, rocketchat, "token_id", "token_id_file");
});
export type RocketchatConfig = z.output<typeof RocketchatConfig>;
