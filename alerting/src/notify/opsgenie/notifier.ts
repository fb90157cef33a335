import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type CallRequest, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult, type SettleContext } from "../integration.ts";
import { groupKeyHash } from "../notification.ts";
import { textsIn } from "../structured-value.ts";
import { truncateRunes } from "../truncate.ts";
import { OpsgenieConfig } from "./config.ts";

const MAX_MESSAGE_RUNES = 130;

export const opsgenie = defineIntegration<"opsgenie", OpsgenieConfig>({
  name: "opsgenie",
  config: OpsgenieConfig,
  defaults: `
{{- define "opsgenie.default.message" }}{{ template "__subject" . }}{{ end }}
{{- define "opsgenie.default.description" }}{{ .CommonAnnotations.SortedPairs.Values.Join " " }}
{{ template "__alert_lists" . }}{{ end }}
{{- define "opsgenie.default.source" }}{{ template "__alertmanagerURL" . }}{{ end }}
`,
  settle,
  templates: (config) => ({ text: [...textsIn(config), ...(config.api_key ? [config.api_key.reveal()] : [])] }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

function settle(config: OpsgenieConfig, context: SettleContext): OpsgenieConfig {
  const { global } = context;
  const url = config.api_url ?? global.opsgenie_api_url;
  const settled = {
    ...config,
    ...settledHttp(config, context),
    api_url: url.endsWith("/") ? url : `${url}/`,
    ...(config.api_key === undefined &&
      config.api_key_file === undefined && {
        api_key: global.opsgenie_api_key,
        api_key_file: global.opsgenie_api_key_file,
      }),
  };
  if (settled.api_key === undefined && settled.api_key_file === undefined)
    throw new Error("no api_key: set it here or opsgenie_api_key in global");
  return settled;
}

async function notify(config: OpsgenieConfig, call: HttpCall): Promise<NotifyResult> {
  const key = call.text(await call.secret(config.api_key, config.api_key_file));
  for (const request of requests(config, call)) {
    const response = await call.send({ ...request, headers: { authorization: `GenieKey ${key}` } });
    const outcome = httpOutcome(response, [429]);
    if (outcome.status !== "sent") return outcome;
  }
  return { status: "sent" };
}

function requests(config: OpsgenieConfig, call: HttpCall): CallRequest[] {
  const alerts = `${config.api_url}v2/alerts`;
  const alias = groupKeyHash(call.notification.groupKey);
  const source = call.text(config.source);
  if (!call.firing) return [{ url: `${alerts}/${alias}/close?identifierType=alias`, json: { source } }];
  const message = truncateRunes(call.text(config.message), MAX_MESSAGE_RUNES);
  const description = call.text(config.description) || undefined;
  const create = { url: alerts, json: { alias, message, description, source, ...attributes(config, call) } };
  if (config.update_alerts !== true) return [create];
  // What exists already is not changed by creating it again.
  return [
    create,
    { method: "PUT", url: `${alerts}/${alias}/message?identifierType=alias`, json: { message } },
    { method: "PUT", url: `${alerts}/${alias}/description?identifierType=alias`, json: { description } },
  ];
}

function attributes(config: OpsgenieConfig, call: HttpCall) {
  const own = Object.entries(config.details ?? {}).map(([name, value]) => [name, call.text(value)]);
  const listed = (template: string | undefined) => {
    const items = splitList(call.text(template));
    return items.length === 0 ? undefined : items;
  };
  const responders = (config.responders ?? []).flatMap((responder) => rendered(responder, call));
  return {
    details: { ...call.data.commonLabels, ...(Object.fromEntries(own) as Record<string, string>) },
    responders: responders.length === 0 ? undefined : responders,
    tags: listed(config.tags),
    note: call.text(config.note) || undefined,
    priority: call.text(config.priority) || undefined,
    entity: call.text(config.entity) || undefined,
    actions: listed(config.actions),
  };
}

interface RenderedResponder {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly username?: string | undefined;
  readonly type: string;
}

/** One whose names all render to nothing is left out; `teams` becomes one responder for each team. */
function rendered(responder: NonNullable<OpsgenieConfig["responders"]>[number], call: HttpCall): RenderedResponder[] {
  const type = call.text(responder.type);
  const [id, name, username] = [responder.id, responder.name, responder.username].map(
    (it) => call.text(it) || undefined,
  );
  if (type === "teams") return splitList(name ?? "").map((team) => ({ name: team, type: "team" }));
  return id === undefined && name === undefined && username === undefined ? [] : [{ id, name, username, type }];
}

function splitList(text: string): string[] {
  return text.trim().split(",").filter(Boolean);
}
