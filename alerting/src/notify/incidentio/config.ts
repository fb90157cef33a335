import type { z } from "zod";
import { atMostOne, count, exactlyOne, object, text, url } from "../../config/fields.ts";
import { httpConfig, secretFile, secretKey, sendResolved, timeout } from "../../config/receiver-fields.ts";

export const IncidentioConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig,
  timeout,
  url: url.optional().describe("the alert source's address"),
  url_file: text.optional().describe("file with the address, read at each notification"),
  alert_source_token: secretKey("token of the alert source, sent as Bearer"),
  alert_source_token_file: secretFile("the token"),
  max_alerts: count.default(0).describe("how many alerts are told of at most; 0 is all"),
}).superRefine((incidentio, context) => {
  exactlyOne(context, incidentio, "url", "url_file");
  atMostOne(context, incidentio, "alert_source_token", "alert_source_token_file");
  const token = incidentio.alert_source_token ?? incidentio.alert_source_token_file;
  const { http_config: http } = incidentio;
  const authorization = http?.authorization ?? http?.bearer_token ?? http?.bearer_token_file;
  if (authorization !== undefined && token !== undefined)
    context.addIssue({ code: "custom", message: "alert_source_token cannot be used with http_config.authorization" });
  if (http !== undefined && authorization === undefined && token === undefined)
    context.addIssue({ code: "custom", message: "alert_source_token or http_config.authorization is needed" });
});
export type IncidentioConfig = z.output<typeof IncidentioConfig>;
