import type { z } from "zod";
import { bool, duration, isShownSecret, object, secret, secretUrl, text, url } from "./fields.ts";
import { HttpClientConfig, TlsConfig, DEFAULT_HTTP_CLIENT } from "./http-client-config.ts";

/**
 * The `global:` section. Service URLs that amtool 0.25 does not know stay unset until a receiver needs them, so that
 * `config.original` reads back in old clients too.
 */
export const GlobalConfig = object({
  resolve_timeout: duration.default(5 * 60_000),
  http_config: HttpClientConfig.default(DEFAULT_HTTP_CLIENT),
  smtp_from: text.optional(),
  smtp_hello: text.default("localhost"),
  smtp_smarthost: text.optional(),
  smtp_auth_username: text.optional(),
  smtp_auth_password: secret.optional(),
  smtp_auth_password_file: text.optional(),
  smtp_auth_secret: secret.optional(),
  smtp_auth_secret_file: text.optional(),
  smtp_auth_identity: text.optional(),
  smtp_require_tls: bool.default(true),
  smtp_tls_config: TlsConfig.optional(),
  smtp_force_implicit_tls: bool.optional(),
  slack_api_url: secretUrl.optional(),
  slack_api_url_file: text.optional(),
  slack_app_token: secret.optional(),
  slack_app_token_file: text.optional(),
  slack_app_url: url.optional(),
  pagerduty_url: url.default("https://events.pagerduty.com/v2/enqueue"),
  opsgenie_api_url: url.default("https://api.opsgenie.com/"),
  opsgenie_api_key: secret.optional(),
  opsgenie_api_key_file: text.optional(),
  wechat_api_url: url.default("https://qyapi.weixin.qq.com/cgi-bin/"),
  wechat_api_secret: secret.optional(),
  wechat_api_secret_file: text.optional(),
  wechat_api_corp_id: text.optional(),
  victorops_api_url: url.default("https://alert.victorops.com/integrations/generic/20131114/alert/"),
  victorops_api_key: secret.optional(),
  victorops_api_key_file: text.optional(),
  telegram_api_url: url.default("https://api.telegram.org"),
  telegram_bot_token: secret.optional(),
  telegram_bot_token_file: text.optional(),
  webex_api_url: url.default("https://webexapis.com/v1/messages"),
  jira_api_url: url.optional(),
  rocketchat_api_url: url.optional(),
  rocketchat_token: secret.optional(),
  rocketchat_token_file: text.optional(),
  rocketchat_token_id: secret.optional(),
  rocketchat_token_id_file: text.optional(),
  mattermost_webhook_url: secretUrl.optional(),
  mattermost_webhook_url_file: text.optional(),
}).superRefine((global, context) => {
  for (const name of EITHER_OR_FILE) {
    if (global[name] !== undefined && global[`${name}_file`] !== undefined)
      context.addIssue({ code: "custom", path: [name], message: `at most one of ${name} and ${name}_file` });
  }
  const token = global.slack_app_token ?? global.slack_app_token_file;
  const webhook = global.slack_api_url ?? global.slack_api_url_file;
  // The same URL in both is allowed, for files from before there were app tokens.
  const same =
    isShownSecret(global.slack_api_url) || global.slack_api_url?.reveal() === (global.slack_app_url ?? SLACK_APP_URL);
  if (token !== undefined && webhook !== undefined && !same)
    context.addIssue({
      code: "custom",
      path: ["slack_app_token"],
      message: "at most one of slack_app_token/slack_app_token_file and slack_api_url/slack_api_url_file",
    });
});
export type GlobalConfig = z.output<typeof GlobalConfig>;

export const SLACK_APP_URL = "https://slack.com/api/chat.postMessage";

const EITHER_OR_FILE = [
  "smtp_auth_password",
  "smtp_auth_secret",
  "slack_api_url",
  "slack_app_token",
  "opsgenie_api_key",
  "wechat_api_secret",
  "victorops_api_key",
  "telegram_bot_token",
  "rocketchat_token",
  "rocketchat_token_id",
  "mattermost_webhook_url",
] as const;
