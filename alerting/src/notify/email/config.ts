import type { z } from "zod";
import { bool, field, mapOf, object, oneOf, text } from "../../config/fields.ts";
import { TlsConfig } from "../../config/http-client-config.ts";
import { secretFile, secretKey, sendResolved, template } from "../../config/receiver-fields.ts";

const HostPort = field(
  (tree) => {
    const value = text.parse(tree);
    const { host, port } = splitHostPort(value);
    if (host === "" && port === "") return "";
    if (port === "")
      throw new Error(`address ${JSON.stringify(value)}: missing port (write it like mail.example.com:587)`);
    return value;
  },
  (value) => value,
);

/** `host:port`, `[v6]:port`; the port is empty when there is none. */
export function splitHostPort(address: string): { host: string; port: string } {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):(\w+)$/.exec(address);
  return match ? { host: match[1] ?? match[2] ?? "", port: match[3] ?? "" } : { host: address, port: "" };
}

const Threading = object({
  enabled: bool.default(false).describe("whether mails refer to their group's thread"),
  thread_by_date: oneOf("daily", "none").default("daily").describe("a new thread each day, or never"),
});

export const EmailConfig = object({
  send_resolved: sendResolved(false),
  to: text.describe("addresses, separated by commas; a template may stand in it"),
  from: text.optional().describe("sender; default smtp_from"),
  hello: text.optional().describe("how it greets the server; default smtp_hello"),
  smarthost: HostPort.optional().describe("server as host:port; default smtp_smarthost"),
  auth_username: text.optional().describe("user; without one there is no authentication"),
  auth_password: secretKey("password for PLAIN and LOGIN"),
  auth_password_file: secretFile("the password"),
  auth_secret: secretKey("secret for CRAM-MD5"),
  auth_secret_file: secretFile("the secret"),
  auth_identity: text.optional().describe("identity to act as, for PLAIN"),
  headers: mapOf(text).optional().describe("headers, Subject among them; templates may stand in them"),
  html: template('{{ template "email.default.html" . }}', "HTML part; none if empty"),
  text: template("", "text part; none if empty"),
  require_tls: bool.optional().describe("send only after STARTTLS; default smtp_require_tls"),
  tls_config: TlsConfig.optional().describe("TLS; default smtp_tls_config"),
  force_implicit_tls: bool.optional().describe("TLS from the start; default only on port 465"),
  threading: Threading.optional().describe("mails of one group as one thread"),
}).superRefine((email, context) => {
  const issue = (path: PropertyKey[], message: string) => context.addIssue({ code: "custom", path, message });
  if (email.to === "") issue(["to"], "missing to address in email config");
  const seen = new Set<string>();
  for (const name of Object.keys(email.headers ?? {})) {
    const lower = name.toLowerCase();
    if (seen.has(lower)) issue(["headers", name], `duplicate header ${JSON.stringify(name)} in email config`);
    seen.add(lower);
    if (email.threading?.enabled === true && (lower === "references" || lower === "in-reply-to"))
      issue(["headers", name], `the header ${name} cannot be set while threading is enabled`);
  }
  for (const name of ["auth_password", "auth_secret"] as const) {
    if (email[name] !== undefined && email[`${name}_file`] !== undefined)
      issue([name], `at most one of ${name} and ${name}_file`);
  }
});
export type EmailConfig = z.output<typeof EmailConfig>;
