import PostalMime, { type Email } from "postal-mime";
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from "smtp-server";

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly secure: boolean;
  readonly user: string | undefined;
  readonly raw: string;
  readonly mail: Email;
}

/** A real SMTP server that keeps the mails it accepts. Its certificate is self-signed. */
export class SmtpSink {
  readonly mails: ReceivedMail[] = [];
  readonly logins: { method: string; username: string | undefined; password: string | undefined }[] = [];
  readonly #server: SMTPServer;

  constructor(options: SMTPServerOptions = {}) {
    this.#server = new SMTPServer({
      authOptional: true,
      disableReverseLookup: true,
      closeTimeout: 100,
      onAuth: (auth, _session, done) => {
        const { method, username, password } = auth;
        this.logins.push({ method, username: username ?? undefined, password: password ?? undefined });
        const right = method === "CRAM-MD5" ? auth.validatePassword("s3cret") : password === "pa55";
        done(null, right && username ? { user: username } : {});
      },
      onData: (stream, session, done) => {
        const chunks: Buffer[] = [];
        stream.on("data", (chunk: Buffer) => chunks.push(chunk));
        stream.on("end", () => {
          void this.#keep(Buffer.concat(chunks), session).then(() => done(), done);
        });
      },
      ...options,
    });
    this.#server.on("error", () => {});
  }

  async #keep(message: Buffer, session: SMTPServerSession): Promise<void> {
    const { mailFrom, rcptTo } = session.envelope;
    this.mails.push({
      from: mailFrom === false ? "" : mailFrom.address,
      to: rcptTo.map(({ address }) => address),
      secure: session.secure,
      user: session.user as string | undefined,
      raw: message.toString("latin1"),
      mail: await PostalMime.parse(message),
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return this;
  }

  get port(): number {
    const address = this.#server.server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
