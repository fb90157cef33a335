import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult } from "../integration.ts";
import { groupKeyHash } from "../notification.ts";
import { renderStructured, textsIn } from "../structured-value.ts";
import { truncateRunes } from "../truncate.ts";
import { PagerdutyConfig } from "./config.ts";

const V1_PATH = "/generic/2010-04-15/create_event.json";
const MAX_SUMMARY_RUNES = 1024;
const MAX_EVENT_BYTES = 512_000;

const DETAILS = {
  firing: "{{ .Alerts.Firing | toJson }}",
  resolved: "{{ .Alerts.Resolved | toJson }}",
  num_firing: "{{ .Alerts.Firing | len }}",
  num_resolved: "{{ .Alerts.Resolved | len }}",
};

export const pagerduty = defineIntegration<"pagerduty", PagerdutyConfig>({
  name: "pagerduty",
  config: PagerdutyConfig,
  defaults: `
{{- define "pagerduty.default.description" }}{{ template "__subject" . }}{{ end }}
{{- define "pagerduty.default.client" }}{{ template "__alertmanager" . }}{{ end }}
{{- define "pagerduty.default.clientURL" }}{{ template "__alertmanagerURL" . }}{{ end }}
{{- define "pagerduty.default.instances" }}{{ template "__text_alert_list" . }}{{ end }}
`,
  settle: (config, context) => ({
    ...config,
    ...settledHttp(config, context),
    url: config.url ?? context.global.pagerduty_url,
    source: config.source ?? config.client,
    details: { ...DETAILS, ...config.details },
  }),
  templates: (config) => ({
    text: [
      ...textsIn(config),
      ...[config.routing_key, config.service_key].flatMap((key) => (key ? [key.reveal()] : [])),
    ],
  }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

async function notify(config: PagerdutyConfig, call: HttpCall): Promise<NotifyResult> {
  const v1 = config.service_key !== undefined || config.service_key_file !== undefined;
  const key = v1
    ? call.text(await call.secret(config.service_key, config.service_key_file))
    : call.text(await call.secret(config.routing_key, config.routing_key_file));
  if (key === "") throw new Error(`${v1 ? "service" : "routing"} key cannot be empty`);
  const url = config.url ?? "";
  const event = v1 ? eventV1(config, call, key) : eventV2(config, call, key);
  const response = await call.send({ url: v1 ? new URL(V1_PATH, url).href : url, json: withinSize(event) });
  // What stands for "too many requests" in each API.
  return httpOutcome(response, [v1 ? 403 : 429]);
}

const details = (config: PagerdutyConfig, call: HttpCall) =>
  Object.fromEntries(
    Object.entries(config.details ?? {}).map(([name, value]) => [
      name,
      renderStructured(value, (template) => call.text(template)),
    ]),
  );

function eventV1(config: PagerdutyConfig, call: HttpCall, key: string) {
  return {
    service_key: key,
    event_type: call.firing ? "trigger" : "resolve",
    incident_key: groupKeyHash(call.notification.groupKey),
    description: truncateRunes(call.text(config.description), MAX_SUMMARY_RUNES),
    ...(call.firing && { client: call.text(config.client), client_url: call.text(config.client_url) }),
    details: details(config, call),
  };
}

function eventV2(config: PagerdutyConfig, call: HttpCall, key: string) {
  const text = (template: string | undefined) => call.text(template);
  return {
    routing_key: key,
    event_action: call.firing ? "trigger" : "resolve",
    dedup_key: groupKeyHash(call.notification.groupKey),
    client: text(config.client) || undefined,
    client_url: text(config.client_url) || undefined,
    payload: {
      summary: truncateRunes(text(config.description), MAX_SUMMARY_RUNES),
      source: text(config.source),
      severity: text(config.severity || "error"),
      class: text(config.class) || undefined,
      component: text(config.component) || undefined,
      group: text(config.group) || undefined,
      custom_details: details(config, call),
    },
    images: (config.images ?? [])
      .map(({ src, alt, href }) => ({ src: text(src), alt: text(alt), href: text(href) }))
      .filter(({ src }) => src !== ""),
    links: (config.links ?? [])
      .map((link) => ({ href: text(link.href), text: text(link.text) }))
      .filter(({ href }) => href !== ""),
  };
}

/** PagerDuty refuses larger events; the details are what can be done without. */
function withinSize(event: ReturnType<typeof eventV1> | ReturnType<typeof eventV2>) {
  if (Buffer.byteLength(JSON.stringify(event)) < MAX_EVENT_BYTES) return event;
  const error = "The details were left out because the event would exceed PagerDuty's limit of 512 kB";
  return "payload" in event
    ? { ...event, payload: { ...event.payload, custom_details: { error } } }
    : { ...event, details: { error } };
}
