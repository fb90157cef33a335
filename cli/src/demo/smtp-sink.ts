import PostalMime from "postal-mime";
import { SMTPServer, type SMTPServerDataStream } from "smtp-server";
import type { Clock, Component, Logger } from "@tocsin/platform";
import { TocsinError } from "@tocsin/platform";
import type { InboxStore, NewMessage } from "./inbox-store.ts";

const MAX_MAIL_BYTES = 5 * 1024 * 1024;

export interface SmtpSinkOptions {
  host: string;
  port: number;
  inbox: InboxStore;
  clock: Clock;
  logger: Logger;
}

/** Takes any mail without authentication and puts it into the dev inbox; a mail is accepted once it is stored. */
export function createSmtpSink(options: SmtpSinkOptions): Component & { port(): number } {
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    disableReverseLookup: true,
    size: MAX_MAIL_BYTES,
    logger: false,
    onData(stream, session, callback) {
      const recipients = session.envelope.rcptTo.map(({ address }) => address).join(", ");
      readMail(stream, recipients)
        .then((message) => {
          options.inbox.add({ ...message, receivedAtMs: options.clock.now() });
          callback();
        })
        .catch((error: Error) => callback(error));
    },
  });
  server.on("error", (error) => options.logger.warn({ err: error }, "smtp sink error"));
  let listening = false;
  return {
    name: "smtp-sink",
    start: () =>
      new Promise((resolve, reject) => {
        const onError = (error: NodeJS.ErrnoException) =>
          reject(
            new TocsinError(
              "TOCSIN_PORT_TAKEN",
              `cannot listen on ${options.host}:${options.port} for SMTP: ${error.message}; choose another with --smtp-port`,
              { cause: error },
            ),
          );
        server.server.once("error", onError);
        server.listen(options.port, options.host, () => {
          server.server.off("error", onError);
          listening = true;
          resolve();
        });
      }),
    async stop() {
      if (!listening) return;
      listening = false;
      await new Promise<void>((resolve) => server.close(resolve));
    },
    port() {
      const address = server.server.address();
      return typeof address === "object" && address ? address.port : options.port;
    },
  };
}

async function readMail(stream: SMTPServerDataStream, recipients: string): Promise<Omit<NewMessage, "receivedAtMs">> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  if (stream.sizeExceeded)
    throw Object.assign(new Error(`mail exceeds ${MAX_MAIL_BYTES} bytes`), { responseCode: 552 });
  const mail = await PostalMime.parse(Buffer.concat(chunks));
  return {
    kind: "email",
    to: recipients,
    subject: mail.subject ?? "",
    body: mail.text ?? "",
    html: mail.html ?? null,
    headers: mail.headers.map(({ key, value }) => ({ name: key, value })),
  };
}
