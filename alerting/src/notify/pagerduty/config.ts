import type { z } from "zod";
import { atMostOne, list, mapOf, object, secret, text, untyped, url } from "../../config/fields.ts";
import {
  httpConfig,
  optionalTemplate,
  secretFile,
  sendResolved,
  template,
  timeout,
} from "../../config/receiver-fields.ts";

const Image = object({
  src: text.optional().describe("the image; left out when it renders to nothing"),
  alt: text.optional().describe("what it shows"),
  href: text.optional().describe("where it leads"),
});

const Link = object({
  href: text.optional().describe("where it leads; left out when it renders to nothing"),
  text: text.optional().describe("its text"),
});

export const PagerdutyConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig,
  timeout,
  routing_key: secret.optional().describe("integration key of Events API v2; a template may stand in it"),
  routing_key_file: secretFile("the routing key"),
  service_key: secret.optional().describe("key of the older Events API v1; beats routing_key"),
  service_key_file: secretFile("the service key"),
  url: url.optional().describe("where events go; default pagerduty_url"),
  client: template('{{ template "pagerduty.default.client" . }}', "what detected the event"),
  client_url: template('{{ template "pagerduty.default.clientURL" . }}', "link back"),
  description: template('{{ template "pagerduty.default.description" .}}', "summary, at most 1024 characters"),
  details: mapOf(untyped)
    .optional()
    .describe("custom details; firing, resolved, num_firing, num_resolved are there anyway"),
  images: list(Image).optional().describe("images in the incident"),
  links: list(Link).optional().describe("links in the incident"),
  source: optionalTemplate("what is affected; default client"),
  severity: optionalTemplate("critical, error, warning or info; default error"),
  class: optionalTemplate("kind of the event"),
  component: optionalTemplate("part that is affected"),
  group: optionalTemplate("cluster of parts"),
}).superRefine((pagerduty, context) => {
  atMostOne(context, pagerduty, "routing_key", "routing_key_file");
  atMostOne(context, pagerduty, "service_key", "service_key_file");
  const { routing_key, routing_key_file, service_key, service_key_file } = pagerduty;
  if ((routing_key ?? routing_key_file ?? service_key ?? service_key_file) === undefined)
    context.addIssue({ code: "custom", message: "missing service or routing key in PagerDuty config" });
});
export type PagerdutyConfig = z.output<typeof PagerdutyConfig>;
