import { dingtalk } from "./dingtalk/notifier.ts";
import { email } from "./email/notifier.ts";
import { feishu } from "./feishu/notifier.ts";
import { pagerduty } from "./pagerduty/notifier.ts";
import { slack } from "./slack/notifier.ts";
import { sms } from "./sms/notifier.ts";
import { telegram } from "./telegram/notifier.ts";
import { webhook } from "./webhook/notifier.ts";
import { wechat } from "./wechat/notifier.ts";
import { wecomRobot } from "./wecom-robot/notifier.ts";

/** Every way to notify that `alertmanager.yml` knows. A new one is a folder beside these and a line here. */
export const integrations = [webhook, email, slack, pagerduty, telegram, wechat] as const;

/** Ways to notify that Alertmanager has not: they are configured in `tocsin.yaml`. */
export const extraIntegrations = [dingtalk, feishu, wecomRobot, sms] as const;
