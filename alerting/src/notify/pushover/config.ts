import type { z } from "zod";
import { bool, exactlyOne, goDuration, object } from "../../config/fields.ts";
import {
  httpConfig,
  optionalTemplate,
  secretFile,
  secretKey,
  sendResolved,
  template,
} from "../../config/receiver-fields.ts";

export const PushoverConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig,
  user_key: secretKey("who is told: a user's or a group's key"),
  user_key_file: secretFile("the user's key"),
  token: secretKey("the application's token"),
  token_file: secretFile("the application's token"),
  title: template('{{ template "pushover.default.title" . }}', "at most 250 characters"),
  message: template('{{ template "pushover.default.message" . }}', "at most 1024 characters"),
  url: template('{{ template "pushover.default.url" . }}', "link, at most 512 characters"),
  url_title: optionalTemplate("text of the link"),
  device: optionalTemplate("device of the user; default all"),
  sound: optionalTemplate("sound"),
  priority: template(
    '{{ if eq .Status "firing" }}2{{ else }}0{{ end }}',
    "-2 to 2; 2 repeats until it is acknowledged",
  ),
  retry: goDuration.default(60_000).describe("pause between repeats of priority 2"),
  expire: goDuration.default(3_600_000).describe("when priority 2 stops to repeat"),
  ttl: goDuration.optional().describe("when the message disappears"),
  html: bool.optional().describe("read the message as HTML"),
  monospace: bool.optional().describe("show the message in a monospaced font"),
}).superRefine((pushover, context) => {
  exactlyOne(context, pushover, "user_key", "user_key_file");
  exactlyOne(context, pushover, "token", "token_file");
  if (pushover.html === true && pushover.monospace === true)
    context.addIssue({ code: "custom", path: ["html"], message: "at most one of html and monospace" });
});
export type PushoverConfig = z.output<typeof PushoverConfig>;
