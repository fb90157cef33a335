import type { z } from "zod";
import { bool, field, mapOf, object, oneOf, secret, text } from "../../config/fields.ts";
import { TlsConfig } from "../../config/http-client-config.ts";

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
  enabled: bool.default(false),
  thread_by_date: oneOf("daily", "none").default("daily"),
});

export const EmailConfig = object({
  send_resolved: bool.default(false),
  to: text,
  from: text.optional(),
  hello: text.optional(),
  smarthost: HostPort.optional(),
  auth_username: text.optional(),
  auth_password: secret.optional(),
  auth_password_file: text.optional(),
  auth_secret: secret.optional(),
  auth_secret_file: text.optional(),
  auth_identity: text.optional(),
  headers: mapOf(text).optional(),
  html: text.default('{{ template "email.default.html" . }}'),
  text: text.default(""),
  require_tls: bool.optional(),
  tls_config: TlsConfig.optional(),
  force_implicit_tls: bool.optional(),
  threading: Threading.optional(),
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
