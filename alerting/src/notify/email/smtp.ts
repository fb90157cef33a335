import { isIP } from "node:net";
import SMTPConnection, { type SMTPConnectionCustomAuthContext } from "nodemailer/lib/smtp-connection";
import { errorMessage } from "@tocsin/platform";
import { tlsOptions } from "../http/http-client.ts";
import type { TlsConfig } from "../../config/http-client-config.ts";
import type { EmailMessage } from "./message.ts";

export interface SmtpOptions {
  readonly host: string;
  readonly port: number;
  /** Sent with EHLO. */
  readonly hello: string;
  readonly implicitTls: boolean;
  readonly requireTls: boolean;
  readonly tls: TlsConfig | undefined;
  readonly auth: SmtpAuth | undefined;
}

export interface SmtpAuth {
  readonly username: string;
  readonly password: string;
  /** For CRAM-MD5. */
  readonly secret: string;
  /** For PLAIN; usually empty. */
  readonly identity: string;
}

/** Hands one message to a server. Rejects with an Error that says at which step and what the server answered. */
export async function sendMail(options: SmtpOptions, message: EmailMessage, signal: AbortSignal): Promise<void> {
  const connection = new SMTPConnection({
    host: options.host,
    port: options.port,
    name: options.hello,
    secure: options.implicitTls,
    requireTLS: !options.implicitTls && options.requireTls,
    ignoreTLS: !options.requireTls,
    connectionTimeout: 30_000,
    greetingTimeout: 30_000,
    socketTimeout: 60_000,
    tls: { ...(isIP(options.host) === 0 && { servername: options.host }), ...tlsOptions(options.tls ?? {}) },
    customAuth: { PLAIN: (context) => plainWithIdentity(context, options.auth?.identity ?? "") },
  });
  // Every step below waits for its answer or for this, whichever comes first.
  const failed = new Promise<never>((_, reject) => {
    connection.once("error", (error: Error) => reject(explain(error, options)));
    connection.once("end", () => reject(new Error("the server closed the connection")));
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  failed.catch(() => {});
  const step = <T>(run: (done: (error: Error | null | undefined, value?: T) => void) => void): Promise<T | undefined> =>
    Promise.race([
      failed,
      new Promise<T | undefined>((resolve, reject) => run((error, value) => (error ? reject(error) : resolve(value)))),
    ]);
  try {
    signal.throwIfAborted();
    await step((done) => connection.connect(done));
    const login = chooseAuth(connection.lastServerResponse || "", options.auth);
    if (login?.method === "PLAIN" && !connection.secure && !isLocal(options.host))
      throw new Error("unencrypted connection: the password is not sent; set require_tls or force_implicit_tls");
    if (login) await step((done) => connection.login(login, done));
    await step((done) =>
      connection.send({ from: message.from, to: [...message.to] }, message.content, (error) => done(error)),
    );
    connection.quit();
  } catch (error) {
    connection.close();
    throw error;
  }
}

function isLocal(host: string): boolean {
  return host === "localhost" || host === "127.0.0.1" || host === "::1";
}

interface Login {
  method: string;
  user: string;
  pass: string;
}

/**
 * The first mechanism in the server's own order that there are credentials for. A server that offers none is used
 * without. Throws an Error when what it offers cannot be met.
 */
export function chooseAuth(ehlo: string, auth: SmtpAuth | undefined): Login | undefined {
  if (!auth || auth.username === "") return undefined;
  const offered = /^250[ -]AUTH[ =](.*)$/im.exec(ehlo)?.[1]?.trim().toUpperCase().split(/\s+/);
  if (!offered) return undefined;
  const problems: string[] = [];
  for (const method of offered) {
    const pass =
      method === "CRAM-MD5" ? auth.secret : method === "PLAIN" || method === "LOGIN" ? auth.password : undefined;
    if (pass === undefined) continue;
    if (pass !== "") return { method, user: auth.username, pass };
    problems.push(`missing ${method === "CRAM-MD5" ? "secret" : "password"} for ${method} auth mechanism`);
  }
  throw new Error(problems.length > 0 ? problems.join("; ") : `unknown auth mechanism: ${offered.join(" ")}`);
}

async function plainWithIdentity(context: SMTPConnectionCustomAuthContext, identity: string): Promise<void> {
  const { user, pass } = context.auth.credentials;
  const response = await context.sendCommand(
    `AUTH PLAIN ${Buffer.from(`${identity}\0${user}\0${pass}`).toString("base64")}`,
  );
  if (response.status !== 235) throw new Error(`the server refused the login: ${response.response}`);
}

function explain(error: Error, { host, port, requireTls }: SmtpOptions): Error {
  const text = errorMessage(error);
  if (requireTls && /STARTTLS/.test(text))
    return new Error(`require_tls is true (the default) but ${host}:${port} does not offer STARTTLS: ${text}`, {
      cause: error,
    });
  return error;
}
