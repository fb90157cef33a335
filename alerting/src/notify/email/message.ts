import { createHash } from "node:crypto";
import addressparser from "nodemailer/lib/addressparser";
import MimeNode from "nodemailer/lib/mime-node";
import type { UnixMs } from "@tocsin/model";
import type { Templates } from "../template.ts";
import type { NotificationData } from "../template-data.ts";
import type { EmailConfig } from "./config.ts";

export interface EmailMessage {
  /** Bare addresses for the envelope. */
  readonly from: string;
  readonly to: readonly string[];
  readonly content: Buffer;
}

/** Renders a mail: multipart/alternative, the text part first if there is one. Throws an Error for a bad address. */
export async function composeMessage(
  config: EmailConfig,
  templates: Templates,
  data: NotificationData,
  { groupKey, at }: { groupKey: string; at: UnixMs },
): Promise<EmailMessage> {
  const render = (template: string) => templates.text(template, data);
  const from = addresses(render(config.from ?? ""), "from");
  if (from.length !== 1) throw new Error(`must be exactly one 'from' address (got ${from.length})`);
  const to = addresses(render(config.to), "to");

  const root = new MimeNode("multipart/alternative");
  for (const [name, value] of headerTemplates(config))
    root.setHeader(
      name,
      render(value)
        .replaceAll(/[\r\n]+/g, " ")
        .trim(),
    );
  root.setHeader("Date", new Date(at).toUTCString().replace("GMT", "+0000"));
  if (config.threading?.enabled === true) {
    const thread = threadId(groupKey, config.threading.thread_by_date === "daily" ? at : undefined);
    root.setHeader("References", thread);
    root.setHeader("In-Reply-To", thread);
  }
  const part = (type: string, content: string) =>
    root
      .createChild(`${type}; charset=UTF-8`)
      .setHeader("Content-Transfer-Encoding", "quoted-printable")
      .setContent(content);
  if (config.text !== "") part("text/plain", render(config.text));
  if (config.html !== "") part("text/html", templates.html(config.html, data));
  return { from: from[0] as string, to, content: await root.build() };
}

/** Subject, To and From have defaults; the user's own are kept in their spelling. */
function headerTemplates(config: EmailConfig): [string, string][] {
  const own = Object.entries(config.headers ?? {});
  const has = (name: string) => own.some(([key]) => key.toLowerCase() === name.toLowerCase());
  const defaults: [string, string][] = [
    ["Subject", '{{ template "email.default.subject" . }}'],
    ["To", config.to],
    ["From", config.from ?? ""],
  ];
  return [
    ...defaults.filter(([name]) => !has(name)),
    ...own.map(([name, value]): [string, string] => [canonical(name), value]),
  ];
}

/** Go's canonical spelling of header names: `x-my-header` → `X-My-Header`. */
function canonical(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/(^|-)([a-z])/g, (_, dash: string, letter: string) => dash + letter.toUpperCase());
}

function addresses(text: string, what: string): string[] {
  const parsed = addressparser(text, { flatten: true }).map(({ address }) => address);
  if (parsed.length === 0 || parsed.some((address) => !address.includes("@")))
    throw new Error(`cannot parse '${what}' addresses: ${JSON.stringify(text)}`);
  return parsed;
}

/** The same for all mails of a group, per day if a day is given, so that mail programs show them as one thread. */
function threadId(groupKey: string, day: UnixMs | undefined): string {
  const hash = createHash("sha256").update(groupKey).digest("hex").slice(0, 16);
  const date = day === undefined ? "" : new Date(day).toISOString().slice(0, 10);
  return `<alert-${hash}-${date}@alertmanager>`;
}
