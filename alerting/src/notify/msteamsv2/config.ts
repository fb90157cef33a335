import type { z } from "zod";
import { exactlyOne, object, secretUrl } from "../../config/fields.ts";
import { httpConfig, secretFile, sendResolved, template } from "../../config/receiver-fields.ts";

export const Msteamsv2Config = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig.describe("how to connect; replaces the global one but for its proxy_url"),
  webhook_url: secretUrl.optional().describe("the flow's address"),
  webhook_url_file: secretFile("the flow's address"),
  title: template('{{ template "msteamsv2.default.title" . }}', "title of the card"),
  text: template('{{ template "msteamsv2.default.text" . }}', "Markdown"),
}).superRefine((teams, context) => exactlyOne(context, teams, "webhook_url", "webhook_url_file"));
export type Msteamsv2Config = z.output<typeof Msteamsv2Config>;
