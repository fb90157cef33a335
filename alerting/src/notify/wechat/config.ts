import type { z } from "zod";
import { atMostOne, object, oneOf, text, url } from "../../config/fields.ts";
import { httpConfig, secretFile, secretKey, sendResolved, template } from "../../config/receiver-fields.ts";

export const WechatConfig = object({
  send_resolved: sendResolved(false),
  http_config: httpConfig,
  api_url: url.optional().describe("the API of WeChat Work; default wechat_api_url"),
  api_secret: secretKey("secret of the application; default wechat_api_secret"),
  api_secret_file: secretFile("the application's secret"),
  corp_id: text.optional().describe("id of the company; default wechat_api_corp_id"),
  agent_id: template('{{ template "wechat.default.agent_id" . }}', "id of the application"),
  to_user: template('{{ template "wechat.default.to_user" . }}', "users, separated by |; @all is everybody"),
  to_party: template('{{ template "wechat.default.to_party" . }}', "departments, separated by |"),
  to_tag: template('{{ template "wechat.default.to_tag" . }}', "tags, separated by |"),
  message: template('{{ template "wechat.default.message" . }}', "what is sent"),
  message_type: oneOf("text", "markdown").default("text").describe("how the message is marked up"),
}).superRefine((wechat, context) => atMostOne(context, wechat, "api_secret", "api_secret_file"));
export type WechatConfig = z.output<typeof WechatConfig>;
