import { z } from "zod";
import { failureReason, type HttpResponse } from "../http/http-client.ts";
import { answerOf, httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import {
  defineIntegration,
  type Notifier,
  type NotifierDeps,
  type NotifyResult,
  type SettleContext,
} from "../integration.ts";
import { textsIn } from "../structured-value.ts";
import { WechatConfig } from "./config.ts";

const TOKEN_LIFE_MS = 2 * 3_600_000;
/** `access_token expired`, and `invalid access_token`: WeChat Work may end one early. */
const STALE_TOKEN = [42_001, 40_014];

export const wechat = defineIntegration<"wechat", WechatConfig>({
  name: "wechat",
  config: WechatConfig,
  defaults: `
{{- define "wechat.default.message" }}{{ template "__subject" . }}
{{ .CommonAnnotations.SortedPairs.Values.Join " " }}
{{ template "__alert_lists" . }}
{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "wechat.default.to_user" }}{{ end }}
{{- define "wechat.default.to_party" }}{{ end }}
{{- define "wechat.default.to_tag" }}{{ end }}
{{- define "wechat.default.agent_id" }}{{ end }}
`,
  settle,
  templates: (config) => ({ text: textsIn(config) }),
  create: createNotifier,
});

function settle(config: WechatConfig, context: SettleContext): WechatConfig {
  const { global } = context;
  const url = config.api_url ?? global.wechat_api_url;
  const settled = {
    ...config,
    ...settledHttp(config, context),
    api_url: url.endsWith("/") ? url : `${url}/`,
    corp_id: config.corp_id ?? global.wechat_api_corp_id,
    ...(config.api_secret === undefined &&
      config.api_secret_file === undefined && {
        api_secret: global.wechat_api_secret,
        api_secret_file: global.wechat_api_secret_file,
      }),
  };
  if (settled.api_secret === undefined && settled.api_secret_file === undefined)
    throw new Error("no api_secret: set it here or wechat_api_secret in global");
  if (!settled.corp_id) throw new Error("no corp_id: set it here or wechat_api_corp_id in global");
  return settled;
}

interface Token {
  readonly value: string;
  readonly until: number;
}

function createNotifier(config: WechatConfig, deps: NotifierDeps): Notifier {
  let kept: Token | undefined;
  return httpNotifier(config, deps, async (call) => {
    if (!kept || deps.clock.now() >= kept.until) {
      const answer = await fetchToken(config, call);
      if (typeof answer !== "string") return answer;
      kept = { value: answer, until: deps.clock.now() + TOKEN_LIFE_MS };
    }
    call.hidden.push(kept.value);
    const result = await sendMessage(config, call, kept.value);
    if (result.status === "retry" && result.stale) kept = undefined;
    return result;
  });
}

const TokenAnswer = z.object({
  access_token: z.string().optional(),
  errcode: z.number().optional(),
  errmsg: z.string().optional(),
});

async function fetchToken(config: WechatConfig, call: HttpCall): Promise<string | NotifyResult> {
  const secret = call.text(await call.secret(config.api_secret, config.api_secret_file));
  const query = new URLSearchParams({ corpsecret: secret, corpid: call.text(config.corp_id) });
  const response = await call.send({ method: "GET", url: `${config.api_url}gettoken?${query.toString()}` });
  if (response.status !== 200) return unexpected(response);
  const answer = answerOf(TokenAnswer, response);
  if (answer?.access_token) return answer.access_token;
  const said = answer?.errmsg === undefined ? "" : `: ${answer.errcode ?? ""} ${answer.errmsg}`;
  return { status: "failed", reason: "authError", error: `no access token for corp_id ${config.corp_id}${said}` };
}

const SendAnswer = z.object({ errcode: z.number(), errmsg: z.string().default("") });

async function sendMessage(
  config: WechatConfig,
  call: HttpCall,
  token: string,
): Promise<NotifyResult & { stale?: boolean }> {
  const type = config.message_type;
  const response = await call.send({
    url: `${config.api_url}message/send?access_token=${encodeURIComponent(token)}`,
    json: {
      touser: call.text(config.to_user) || undefined,
      toparty: call.text(config.to_party) || undefined,
      totag: call.text(config.to_tag) || undefined,
      agentid: call.text(config.agent_id) || undefined,
      safe: "0",
      msgtype: type,
      [type]: { content: call.text(config.message) },
    },
  });
  if (response.status !== 200) return unexpected(response);
  const answer = answerOf(SendAnswer, response);
  if (!answer) return { status: "retry", reason: "other", error: "WeChat's answer is not the JSON it promises" };
  if (answer.errcode === 0) return { status: "sent" };
  const error = `WeChat refused: ${answer.errcode} ${answer.errmsg}`;
  if (STALE_TOKEN.includes(answer.errcode)) return { status: "retry", reason: "authError", error, stale: true };
  return { status: "failed", reason: "clientError", error };
}

/** WeChat answers 200 to everything it has read, so that anything else is a fault on the way. */
const unexpected = ({ status }: HttpResponse): NotifyResult => ({
  status: "retry",
  reason: failureReason(status),
  error: `unexpected status code ${status}`,
});
