import { dingtalk } from "./dingtalk/notifier.ts";
import { discord } from "./discord/notifier.ts";
import { email } from "./email/notifier.ts";
import { feishu } from "./feishu/notifier.ts";
import { incidentio } from "./incidentio/notifier.ts";
import { jira } from "./jira/notifier.ts";
import { mattermost } from "./mattermost/notifier.ts";
import { msteams } from "./msteams/notifier.ts";
import { msteamsv2 } from "./msteamsv2/notifier.ts";
import { opsgenie } from "./opsgenie/notifier.ts";
import { pagerduty } from "./pagerduty/notifier.ts";
import { pushover } from "./pushover/notifier.ts";
import { rocketchat } from "./rocketchat/notifier.ts";
import { slack } from "./slack/notifier.ts";
import { sms } from "./sms/notifier.ts";
import { sns } from "./sns/notifier.ts";
import { telegram } from "./telegram/notifier.ts";
import { victorops } from "./victorops/notifier.ts";
import { webex } from "./webex/notifier.ts";
import { webhook } from "./webhook/notifier.ts";
import { wechat } from "./wechat/notifier.ts";
import { wecomRobot } from "./wecom-robot/notifier.ts";

/** Every way to notify that `alertmanager.yml` knows. A new one is a folder beside these and a line here. */
export const integrations = [
  webhook,
  email,
  slack,
  pagerduty,
  telegram,
  wechat,
  opsgenie,
  discord,
  msteams,
  msteamsv2,
  webex,
  victorops,
  pushover,
  rocketchat,
  mattermost,
  incidentio,
  jira,
  sns,
] as const;

/** Ways to notify that Alertmanager has not: they are configured in `tocsin.yaml`. */
export const extraIntegrations = [dingtalk, feishu, wecomRobot, sms] as const;
