import { checkUrl } from "../../config/fields.ts";
import { httpOutcome } from "../http/http-client.ts";
import { httpNotifier, settledHttp, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult } from "../integration.ts";
import { groupKeyHash } from "../notification.ts";
import { textsIn } from "../structured-value.ts";
import { cutBytes } from "../truncate.ts";
import { AwsCredentialSource, type Environment } from "./aws-credentials.ts";
import { SnsConfig } from "./config.ts";
import { signedHeaders } from "./sigv4.ts";

const MAX_BYTES = 256 * 1024;
const MAX_SMS_BYTES = 1600;

/** AWS credentials may come from the environment; tests have one of their own. */
export const snsWith = (env: Environment) =>
  defineIntegration<"sns", SnsConfig>({
    name: "sns",
    config: SnsConfig,
    defaults: `
{{- define "sns.default.subject" }}{{ template "__subject" . }}{{ end }}
{{- define "sns.default.message" }}{{ .CommonAnnotations.SortedPairs.Values.Join " " }}
{{ template "__alert_lists" . }}{{ end }}
`,
    settle: (config, context) => ({ ...config, ...settledHttp(config, context) }),
    templates: (config) => ({ text: textsIn(config) }),
    create(config, deps) {
      const credentials = new AwsCredentialSource(config.sigv4, env);
      return httpNotifier(config, deps, (call) => notify(config, credentials, call));
    },
  });

export const sns = snsWith(process.env);

async function notify(config: SnsConfig, source: AwsCredentialSource, call: HttpCall): Promise<NotifyResult> {
  const { region } = source;
  const credentials = await source.get(call);
  if ("status" in credentials) return credentials;
  const url = new URL(checkUrl(call.text(config.api_url) || `https://sns.${region}.amazonaws.com/`)).href;
  const body = publishForm(config, call).toString();
  const headers = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
  const scope = { region, service: "sns", at: call.deps.clock.now() };
  const response = await call.send({ url, body, headers: signedHeaders({ url, headers, body }, credentials, scope) });
  return httpOutcome(response);
}

function publishForm(config: SnsConfig, call: HttpCall): URLSearchParams {
  const topic = call.text(config.topic_arn);
  const message = call.text(config.message);
  const kept = cutBytes(message, config.phone_number ? MAX_SMS_BYTES : MAX_BYTES);
  const attributes = new Map(
    Object.entries(config.attributes ?? {}).map(([name, value]) => [call.text(name), call.text(value)]),
  );
  if (kept !== message) attributes.set("truncated", "true");
  const form = new URLSearchParams({ Action: "Publish", Version: "2010-03-31" });
  const set = (name: string, value: string) => {
    if (value !== "") form.set(name, value);
  };
  set("TopicArn", topic);
  set("TargetArn", call.text(config.target_arn));
  set("PhoneNumber", call.text(config.phone_number));
  set("Subject", call.text(config.subject));
  form.set("Message", kept);
  if (topic.endsWith(".fifo")) {
    const group = groupKeyHash(call.notification.groupKey);
    form.set("MessageGroupId", group);
    form.set("MessageDeduplicationId", group);
  }
  for (const [i, [name, value]] of [...attributes].entries()) {
    const entry = `MessageAttributes.entry.${i + 1}`;
    form.set(`${entry}.Name`, name);
    form.set(`${entry}.Value.DataType`, "String");
    form.set(`${entry}.Value.StringValue`, value);
  }
  return form;
}
