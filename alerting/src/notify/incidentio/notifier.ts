import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult } from "../integration.ts";
import { webhookPayload } from "../webhook/payload.ts";
import { IncidentioConfig } from "./config.ts";

const MAX_BODY_BYTES = 512 * 1024;

export const incidentio = defineIntegration<"incidentio", IncidentioConfig>({
  name: "incidentio",
  config: IncidentioConfig,
  // An http_config of this receiver is taken as given, unlike everywhere else: its files count from the working folder.
  settle: (config, context) => ({
    ...config,
    ...settledHttp(config, config.http_config ? { ...context, directory: "" } : context),
  }),
  templates: () => ({ text: [] }),
  create: (config, deps) => httpNotifier(config, deps, (call) => notify(config, call)),
});

async function notify(config: IncidentioConfig, call: HttpCall): Promise<NotifyResult> {
  const token = await call.secret(config.alert_source_token, config.alert_source_token_file);
  const response = await call.send({
    url: config.url ?? (await call.secret(undefined, config.url_file)),
    headers: token === "" ? {} : { authorization: `Bearer ${token}` },
    json: incidentioPayload(call),
  });
  return httpOutcome(response, [429]);
}

/** What a webhook gets, as version 1. Of what is too large only the first alert stays: it is the one that opens the incident. */
function incidentioPayload(call: HttpCall) {
  const whole = { ...webhookPayload(call.data, call.notification.groupKey, call.truncatedAlerts), version: "1" };
  const bytes = Buffer.byteLength(JSON.stringify(whole));
  return bytes <= MAX_BODY_BYTES ? whole : { ...whole, alerts: whole.alerts.slice(0, 1) };
}
