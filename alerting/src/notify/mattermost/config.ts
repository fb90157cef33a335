import type { z } from "zod";
import { atMostOne, bool, list, object, requiredText, secretUrl, text } from "../../config/fields.ts";
import { httpConfig, optionalTemplate, secretFile, sendResolved, template } from "../../config/receiver-fields.ts";

const Field = object({
  title: requiredText.describe("name of the field"),
  value: requiredText.describe("its text"),
  short: bool.optional().describe("narrow enough to stand beside another"),
});

const attachmentKeys = {
  pretext: optionalTemplate("text above the attachment"),
  author_name: optionalTemplate("author of the attachment"),
  author_link: optionalTemplate("where the author leads"),
  author_icon: optionalTemplate("picture of the author"),
  fields: list(Field).optional().describe("fields of the attachment"),
  thumb_url: optionalTemplate("thumbnail in the attachment"),
  footer: optionalTemplate("text below the attachment"),
  footer_icon: optionalTemplate("picture in the footer"),
  image_url: optionalTemplate("image in the attachment"),
};

const Attachment = object({
  ...attachmentKeys,
  text: optionalTemplate("Markdown of the attachment"),
  fallback: optionalTemplate("what notifications show"),
  color: optionalTemplate("colour of the attachment"),
  title: optionalTemplate("title of the attachment"),
  title_link: optionalTemplate("where the title leads"),
});
export type MattermostAttachment = z.output<typeof Attachment>;

const Priority = object({
  priority: text.optional().describe("urgent, important or standard; anything else becomes standard"),
  requested_ack: bool.optional().describe("ask for an acknowledgement; urgent and important only"),
  persistent_notifications: bool.optional().describe("repeat until acknowledged; urgent only"),
});

export const MattermostConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig,
  webhook_url: secretUrl.optional().describe("incoming webhook; default mattermost_webhook_url"),
  webhook_url_file: secretFile("the webhook's URL"),
  channel: optionalTemplate("channel or user"),
  username: template('{{ template "mattermost.default.username" . }}', "name of the sender"),
  icon_url: optionalTemplate("picture of the sender"),
  icon_emoji: optionalTemplate("icon of the sender"),
  ...attachmentKeys,
  text: template('{{ template "mattermost.default.text" . }}', "Markdown, of the message if there are attachments"),
  fallback: template('{{ template "mattermost.default.fallback" . }}', "what notifications show"),
  color: template('{{ template "mattermost.default.color" . }}', "good, warning, danger or a hex colour"),
  title: template('{{ template "mattermost.default.title" . }}', "title of the attachment"),
  title_link: template('{{ template "mattermost.default.titlelink" . }}', "where the title leads"),
  attachments: list(Attachment).optional().describe("attachments instead of the one made of the keys above"),
  type: optionalTemplate("post type, custom_…"),
  props: object({ card: text.optional().describe("Markdown in the side bar") })
    .optional()
    .describe("further properties"),
  priority: Priority.optional().describe("priority of the message"),
}).superRefine((mattermost, context) => atMostOne(context, mattermost, "webhook_url", "webhook_url_file"));
export type MattermostConfig = z.output<typeof MattermostConfig>;
