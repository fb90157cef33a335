import { readFile } from "node:fs/promises";
import { errorMessage } from "@tocsin/platform";
import { secretOf } from "../http/http-client.ts";
import {
  defineIntegration,
  type Notifier,
  type NotifierDeps,
  type NotifyResult,
  type SettleContext,
} from "../integration.ts";
import type { Notification } from "../notification.ts";
import { EmailConfig, splitHostPort } from "./config.ts";
import { composeMessage, type EmailMessage } from "./message.ts";
import { sendMail, type SmtpAuth } from "./smtp.ts";

export const email = defineIntegration<"email", EmailConfig>({
  name: "email",
  config: EmailConfig,
  settle,
  templates: ({ text, to, from, headers, html }) => ({
    text: [text, to, from ?? "", ...Object.values(headers ?? {})],
    html: [html],
  }),
  create: (config, deps) => new EmailNotifier(config, deps),
});

/** What a block does not say, the global section does; a secret given in either form beats the global one. */
function settle(config: EmailConfig, { global }: SettleContext): EmailConfig {
  const smarthost = config.smarthost ?? global.smtp_smarthost;
  const from = config.from ?? global.smtp_from;
  if (!smarthost) throw new Error("no smarthost: set smarthost here or smtp_smarthost in global");
  if (!from) throw new Error("no sender: set from here or smtp_from in global");
  if (splitHostPort(smarthost).port === "") throw new Error(`smarthost ${JSON.stringify(smarthost)} has no port`);
  const ownPassword = config.auth_password !== undefined || config.auth_password_file !== undefined;
  const ownSecret = config.auth_secret !== undefined || config.auth_secret_file !== undefined;
  return {
    ...config,
    smarthost,
    from,
    hello: config.hello ?? global.smtp_hello,
    auth_username: config.auth_username ?? global.smtp_auth_username,
    auth_identity: config.auth_identity ?? global.smtp_auth_identity,
    ...(!ownPassword && {
      auth_password: global.smtp_auth_password,
      auth_password_file: global.smtp_auth_password_file,
    }),
    ...(!ownSecret && { auth_secret: global.smtp_auth_secret, auth_secret_file: global.smtp_auth_secret_file }),
    require_tls: config.require_tls ?? global.smtp_require_tls,
    tls_config: config.tls_config ?? global.smtp_tls_config,
    force_implicit_tls: config.force_implicit_tls ?? global.smtp_force_implicit_tls,
  };
}

class EmailNotifier implements Notifier {
  readonly #config: EmailConfig;
  readonly #deps: NotifierDeps;

  constructor(config: EmailConfig, deps: NotifierDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  async notify(notification: Notification, signal: AbortSignal): Promise<NotifyResult> {
    const config = this.#config;
    let message: EmailMessage;
    try {
      const data = this.#deps.templates.data(notification);
      message = await composeMessage(config, this.#deps.templates, data, notification);
    } catch (error) {
      return { status: "failed", reason: "other", error: errorMessage(error) };
    }
    const { host, port } = splitHostPort(config.smarthost ?? "");
    try {
      await sendMail(
        {
          host,
          port: Number(port),
          hello: config.hello ?? "localhost",
          implicitTls: config.force_implicit_tls ?? port === "465",
          requireTls: config.require_tls ?? true,
          tls: config.tls_config,
          auth: await this.#auth(),
        },
        message,
        signal,
      );
      return { status: "sent" };
    } catch (error) {
      return { status: "retry", reason: "other", error: errorMessage(error) };
    }
  }

  async #auth(): Promise<SmtpAuth | undefined> {
    const config = this.#config;
    if (!config.auth_username) return undefined;
    const { auth_secret_file: secretFile } = config;
    return {
      username: config.auth_username,
      password: config.auth_password?.reveal() ?? (await secretOf(config.auth_password_file)),
      // Unlike other secrets, this one is not trimmed.
      secret: config.auth_secret?.reveal() ?? (secretFile === undefined ? "" : await readFile(secretFile, "utf8")),
      identity: config.auth_identity ?? "",
    };
  }
}
