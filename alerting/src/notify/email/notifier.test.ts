import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { SMTPServerOptions } from "smtp-server";
import { flushed, never, notification, notifierOf } from "../../../test/notifier.ts";
import { START } from "../../../test/scene.ts";
import { SmtpSink } from "../../../test/smtp-sink.ts";
import { chooseAuth } from "./smtp.ts";

let sinks: SmtpSink[];
beforeEach(() => {
  sinks = [];
});
afterEach(async () => {
  for (const sink of sinks) await sink.stop();
});

async function startSink(options: SMTPServerOptions = {}): Promise<SmtpSink> {
  const sink = await new SmtpSink(options).start();
  sinks.push(sink);
  return sink;
}

const PLAIN = { disabledCommands: ["STARTTLS"], allowInsecureAuth: true };

function email(sink: SmtpSink, keys = "", global = "{}") {
  const base = `to: 'Ann <ann@example.com>, bob@example.com', from: 'Tocsin <alerts@example.com>', smarthost: '127.0.0.1:${sink.port}'`;
  return notifierOf(`email_configs: [{${base}${keys === "" ? "" : `, ${keys}`}}]`, { global });
}

const noTls = "require_tls: false";

describe("email message", () => {
  test("has Subject, To and From, an id, a date, and an HTML part that links to source and alert list", async () => {
    const sink = await startSink(PLAIN);
    const alert = flushed(
      { alertname: "High", severity: "page", path: "<script>" },
      {
        annotations: { summary: "Errors & delays", value: "7.5 %" },
        generatorURL: "http://prom/graph?g0.expr=a&g0.tab=1",
      },
    );
    const result = await email(sink, noTls).notify(notification({ alerts: [alert] }), never);
    expect(result).toEqual({ status: "sent" });
    const [mail] = sink.mails;
    expect(mail).toMatchObject({
      from: "alerts@example.com",
      to: ["ann@example.com", "bob@example.com"],
      secure: false,
    });
    expect(mail?.mail).toMatchObject({
      subject: "[FIRING:1] High (<script> page)",
      from: { address: "alerts@example.com", name: "Tocsin" },
      to: [{ address: "ann@example.com" }, { address: "bob@example.com" }],
    });
    expect(mail?.mail.messageId).toMatch(/^<.+@.+>$/);
    expect(mail?.mail.date).toBe("2026-11-21T12:00:30.000Z");
    expect(mail?.raw).toMatch(/^Content-Type: multipart\/alternative;/m);
    expect(mail?.raw).toMatch(/^Content-Transfer-Encoding: quoted-printable/m);
    expect(mail?.mail.text).toBeUndefined();
    const html = mail?.mail.html ?? "";
    expect(html).toContain("Errors &amp; delays");
    expect(html).toContain("value 7.5 %");
    expect(html).toContain("&lt;script&gt;");
    expect(html).not.toContain("<script>");
    expect(html).toContain('href="http://prom/graph?g0.expr=a&amp;g0.tab=1"');
    expect(html).toContain('href="http://am.example/#/alerts?receiver=team"');
  });

  test("text goes before html, and headers are templates", async () => {
    const sink = await startSink(PLAIN);
    const keys = `${noTls}, text: '{{ template "email.default.text" . }}', headers: {subject: 'Ü {{ .Status }}', X-Team: '{{ .Receiver }}'}`;
    await email(sink, keys).notify(notification(), never);
    const [mail] = sink.mails;
    expect(mail?.mail.subject).toBe("Ü firing");
    expect(mail?.raw).toMatch(/^Subject: =\?UTF-8\?Q\?/m);
    expect(mail?.raw).toMatch(/^X-Team: team/m);
    expect(mail?.raw.indexOf("text/plain")).toBeLessThan(mail?.raw.indexOf("text/html") ?? 0);
    expect(mail?.mail.text).toContain("Firing (1)");
    expect(mail?.mail.text).toContain("severity = page");
  });

  test("threading: all mails of a group on a day refer to the same id", async () => {
    const sink = await startSink(PLAIN);
    await email(sink, `${noTls}, threading: {enabled: true}`).notify(notification(), never);
    await email(sink, `${noTls}, threading: {enabled: true, thread_by_date: none}`).notify(notification(), never);
    const reference = (i: number) => /^In-Reply-To: (.*)$/m.exec(sink.mails[i]?.raw ?? "")?.[1]?.trim();
    expect(reference(0)).toMatch(/^<alert-[0-9a-f]{16}-2026-11-21@alertmanager>$/);
    expect(reference(1)).toMatch(/^<alert-[0-9a-f]{16}-@alertmanager>$/);
    expect(sink.mails[0]?.raw).toContain(`References: ${reference(0)}`);
  });

  test("a mistake in a template or an address is final", async () => {
    const sink = await startSink(PLAIN);
    const result = await email(sink, `${noTls}, headers: {Subject: '{{ .Nonsense }}'}`).notify(notification(), never);
    expect(result).toMatchObject({
      status: "failed",
      reason: "other",
      error: expect.stringContaining("Nonsense") as string,
    });
    const nobody = notifierOf(`email_configs: [{to: nobody, from: a@b.c, smarthost: '127.0.0.1:${sink.port}'}]`);
    expect(await nobody.notify(notification(), never)).toMatchObject({ status: "failed" });
  });
});

describe("email transport", () => {
  test("STARTTLS is used by default", async () => {
    const sink = await startSink();
    await email(sink, "tls_config: {insecure_skip_verify: true}").notify(notification(), never);
    expect(sink.mails[0]?.secure).toBe(true);
  });

  test("a server without STARTTLS is refused while require_tls is true", async () => {
    const sink = await startSink(PLAIN);
    const result = await email(sink).notify(notification(), never);
    expect(result).toMatchObject({
      status: "retry",
      error: expect.stringContaining("does not offer STARTTLS") as string,
    });
    expect(sink.mails).toEqual([]);
  });

  test("an unknown certificate is refused unless told otherwise", async () => {
    const sink = await startSink();
    expect((await email(sink).notify(notification(), never)).status).toBe("retry");
  });

  test("force_implicit_tls speaks TLS from the start", async () => {
    const sink = await startSink({ secure: true });
    const keys = "force_implicit_tls: true, tls_config: {insecure_skip_verify: true}";
    expect(await email(sink, keys).notify(notification(), never)).toEqual({ status: "sent" });
    expect(sink.mails[0]?.secure).toBe(true);
  });

  test.each([
    [["PLAIN", "LOGIN"], "auth_username: ann, auth_password: pa55", { method: "PLAIN", username: "ann" }],
    [["LOGIN"], "auth_username: ann, auth_password: pa55", { method: "LOGIN", username: "ann" }],
    [["CRAM-MD5", "PLAIN"], "auth_username: ann, auth_secret: s3cret", { method: "CRAM-MD5", username: "ann" }],
  ])("AUTH %j", async (authMethods, keys, login) => {
    const sink = await startSink({ ...PLAIN, authMethods });
    expect(await email(sink, `${noTls}, ${keys}`).notify(notification(), never)).toEqual({ status: "sent" });
    expect(sink.logins[0]).toMatchObject(login);
    expect(sink.mails[0]?.user).toBe("ann");
  });

  test("no username, no AUTH", async () => {
    const sink = await startSink({ ...PLAIN, authMethods: ["PLAIN"] });
    await email(sink, noTls).notify(notification(), never);
    expect(sink.logins).toEqual([]);
  });

  test("the global section gives what a block leaves out", async () => {
    const sink = await startSink({ ...PLAIN, authMethods: ["PLAIN"] });
    const global = `{smtp_smarthost: '127.0.0.1:${sink.port}', smtp_from: g@example.com, smtp_require_tls: false, smtp_auth_username: g, smtp_auth_password: pa55, smtp_hello: me.example}`;
    const notifier = notifierOf("email_configs: [{to: ann@example.com}]", { global });
    expect(await notifier.notify(notification(), never)).toEqual({ status: "sent" });
    expect(sink.mails[0]).toMatchObject({ from: "g@example.com", user: "g" });
    expect(sink.logins[0]?.password).toBe("pa55");
  });

  test.each([
    [
      "at RCPT",
      { onRcptTo: (_address, _session, done) => done(Object.assign(new Error("no such user"), { responseCode: 550 })) },
    ],
    [
      "after the message",
      {
        onData: (stream, _session, done) => (
          stream.resume(),
          stream.on("end", () => done(Object.assign(new Error("spam"), { responseCode: 554 })))
        ),
      },
    ],
    ["at login", { authMethods: ["PLAIN"], onAuth: (_auth, _session, done) => done(new Error("wrong")) }],
  ] satisfies [string, SMTPServerOptions][])("a refusal %s is tried again", async (_, options) => {
    const sink = await startSink({ ...PLAIN, ...options });
    const result = await email(sink, `${noTls}, auth_username: a, auth_password: b`).notify(notification(), never);
    expect(result.status).toBe("retry");
  });

  test("an abort ends an attempt", async () => {
    const sink = await startSink({ ...PLAIN, onConnect: () => {} });
    const controller = new AbortController();
    const attempt = email(sink, noTls).notify(notification(), controller.signal);
    setTimeout(() => controller.abort(new Error("enough")), 20);
    expect(await attempt).toMatchObject({ status: "retry", error: "enough" });
  });
});

describe("the choice of AUTH", () => {
  const auth = { username: "u", password: "", secret: "s", identity: "" };
  test("goes by the server's order, past what there are no credentials for", () => {
    expect(chooseAuth("250-x\r\n250 AUTH PLAIN CRAM-MD5", auth)).toMatchObject({ method: "CRAM-MD5", pass: "s" });
  });
  test("says what is missing", () => {
    expect(() => chooseAuth("250 AUTH PLAIN LOGIN", auth)).toThrow(
      "missing password for PLAIN auth mechanism; missing password for LOGIN auth mechanism",
    );
    expect(() => chooseAuth("250 AUTH GSSAPI", auth)).toThrow("unknown auth mechanism: GSSAPI");
  });
});

test("resolved mails say so", async () => {
  const sink = await startSink(PLAIN);
  const alerts = [flushed({ alertname: "High" }, { endsAt: START + 60_000 })];
  await email(sink, noTls).notify(notification({ alerts }), never);
  expect(sink.mails[0]?.mail.subject).toBe("[RESOLVED] High");
  expect(sink.mails[0]?.mail.html).toContain("until 2026-11-21 12:01:00 UTC");
});
