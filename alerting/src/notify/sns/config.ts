import type { z } from "zod";
import { bool, mapOf, object, secret, text } from "../../config/fields.ts";
import { httpConfig, optionalTemplate, sendResolved, template } from "../../config/receiver-fields.ts";

const Sigv4 = object({
  region: text.optional().describe("AWS region; default AWS_REGION"),
  access_key: text.optional().describe("access key id; default AWS_ACCESS_KEY_ID, then the profile"),
  secret_key: secret.optional().describe("secret access key"),
  profile: text.optional().describe("profile of the shared credentials file"),
  role_arn: text.optional().describe("role to assume"),
  external_id: text.optional().describe("external id that the role demands"),
  use_fips_sts_endpoint: bool.optional().describe("assume the role at the FIPS endpoint"),
}).superRefine((sigv4, context) => {
  if ((sigv4.access_key === undefined) !== (sigv4.secret_key === undefined))
    context.addIssue({ code: "custom", message: "access_key and secret_key need each other" });
  if (sigv4.external_id !== undefined && sigv4.role_arn === undefined)
    context.addIssue({ code: "custom", path: ["external_id"], message: "external_id needs role_arn" });
});

export const SnsConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig,
  api_url: optionalTemplate("the API; default that of the region"),
  sigv4: Sigv4.default({}).describe("who signs the requests"),
  topic_arn: optionalTemplate("topic; one that ends with .fifo keeps a group in order"),
  target_arn: optionalTemplate("mobile endpoint"),
  phone_number: optionalTemplate("phone number for a text message"),
  subject: template('{{ template "sns.default.subject" . }}', "subject line of e-mails"),
  message: template('{{ template "sns.default.message" . }}', "at most 256 KiB, 1600 bytes to a phone"),
  attributes: mapOf(text).optional().describe("message attributes"),
  use_aws_http_client: bool.optional().describe("without effect: there is only one HTTP client here"),
}).superRefine(({ topic_arn, target_arn, phone_number }, context) => {
  if ([topic_arn, target_arn, phone_number].filter(Boolean).length !== 1)
    context.addIssue({
      code: "custom",
      message: "must provide either a Target ARN, Topic ARN, or Phone Number for SNS config",
    });
});
export type SnsConfig = z.output<typeof SnsConfig>;
