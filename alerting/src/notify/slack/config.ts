import type { z } from "zod";
import { atMostOne, bool, field, list, object, requiredText, secretUrl, text, url } from "../../config/fields.ts";
import {
  httpConfig,
  optionalTemplate,
  secretFile,
  secretKey,
  sendResolved,
  template,
  timeout,
} from "../../config/receiver-fields.ts";

const Field = object({
  title: requiredText.describe("name of the field"),
  value: requiredText.describe("its text"),
  short: bool.optional().describe("narrow enough to stand beside another; short_fields where it is not set"),
});

const Confirm = object({
  text: requiredText.describe("the question"),
  title: text.optional().describe("its title"),
  ok_text: text.optional().describe("label of yes"),
  dismiss_text: text.optional().describe("label of no"),
});

const Action = object({
  type: requiredText.describe("button, mostly"),
  text: requiredText.describe("label"),
  url: text.optional().describe("link of a button; then name, value and confirm do not count"),
  style: text.optional().describe("default, primary or danger"),
  name: text.optional().describe("what an interactive message reports back"),
  value: text.optional().describe("with name: what it reports back"),
  confirm: Confirm.optional().describe("asks before it acts"),
}).superRefine((action, context) => {
  if (!action.url && !action.name)
    context.addIssue({ code: "custom", message: "missing name or url in Slack action configuration" });
});

/**
 * Not written to `config.original`: amtool 0.34 wants to see the URL beside it, which is a secret there, and crashes
 * when there is only an app token.
 */
const UpdateMessage = field(
  (tree) => bool.parse(tree),
  () => undefined,
);

export const SlackConfig = object({
  send_resolved: sendResolved(false),
  http_config: httpConfig,
  timeout,
  api_url: secretUrl.optional().describe("incoming webhook; default slack_api_url"),
  api_url_file: secretFile("the webhook's URL"),
  app_token: secretKey("token of a Slack app, sent as Bearer; default slack_app_token"),
  app_token_file: secretFile("the app's token"),
  app_url: url.optional().describe("method that an app token calls; default slack_app_url"),
  channel: optionalTemplate("channel or user; an app token needs one"),
  username: template('{{ template "slack.default.username" . }}', "name of the sender"),
  color: template('{{ template "slack.default.color" . }}', "good, warning, danger or a hex colour"),
  title: template('{{ template "slack.default.title" . }}', "at most 1024 characters"),
  title_link: template('{{ template "slack.default.titlelink" . }}', "where the title leads"),
  pretext: template('{{ template "slack.default.pretext" . }}', "text above the attachment"),
  text: template('{{ template "slack.default.text" . }}', "text of the attachment"),
  message_text: optionalTemplate("top-level text of the message"),
  fields: list(Field).optional().describe("fields of the attachment"),
  short_fields: bool.default(false).describe("whether fields stand side by side"),
  footer: template('{{ template "slack.default.footer" . }}', "text below the attachment"),
  fallback: template('{{ template "slack.default.fallback" . }}', "what notifications on phones show"),
  callback_id: template('{{ template "slack.default.callbackid" . }}', "id of interactive messages"),
  icon_emoji: template('{{ template "slack.default.iconemoji" . }}', "icon of the sender"),
  icon_url: template('{{ template "slack.default.iconurl" . }}', "icon of the sender"),
  image_url: optionalTemplate("image in the attachment"),
  thumb_url: optionalTemplate("thumbnail in the attachment"),
  link_names: bool.default(false).describe("turn @name and #channel into links"),
  mrkdwn_in: list(text).optional().describe("parts read as markup; default fallback, pretext, text"),
  actions: list(Action).optional().describe("buttons"),
  update_message: UpdateMessage.optional().describe(
    "keep one message per group up to date; only with chat.postMessage",
  ),
}).superRefine((slack, context) => {
  atMostOne(context, slack, "api_url", "api_url_file");
  atMostOne(context, slack, "app_token", "app_token_file");
  if ((slack.api_url ?? slack.api_url_file) !== undefined && (slack.app_token ?? slack.app_token_file) !== undefined)
    context.addIssue({ code: "custom", message: "at most one of api_url/api_url_file and app_token/app_token_file" });
});
export type SlackConfig = z.output<typeof SlackConfig>;
