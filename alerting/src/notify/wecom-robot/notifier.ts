import { judgeRobot } from "../http/chat-answer.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult } from "../integration.ts";
import { textsIn } from "../structured-value.ts";
import { truncateBytes } from "../truncate.ts";
import { WecomRobotConfig } from "./config.ts";

const MAX_BYTES = { markdown: 4096, text: 2048 };
/** System busy, and more than 20 messages in a minute. */
const BUSY = [-1, 45_009];

export const wecomRobot = defineIntegration<"wecom_robot", WecomRobotConfig>({
  name: "wecom_robot",
  config: WecomRobotConfig,
  defaults: `
{{- define "wecom_robot.default.message" }}**{{ template "__subject" . }}**

{{ template "__chat_markdown" . }}{{ end }}
`,
  settle: (config, context) => ({ ...config, ...settledHttp(config, context) }),
  templates: (config) => ({ text: textsIn(config) }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

async function notify(config: WecomRobotConfig, call: HttpCall): Promise<NotifyResult> {
  const type = config.message_type;
  const content = truncateBytes(call.text(config.message), MAX_BYTES[type]);
  const mentions = type === "text" && {
    mentioned_list: config.mentioned_list,
    mentioned_mobile_list: config.mentioned_mobile_list,
  };
  const response = await call.send({
    url: await call.secret(config.webhook_url, config.webhook_url_file),
    json: { msgtype: type, [type]: { content, ...mentions } },
  });
  return judgeRobot("WeCom", response, BUSY);
}
