import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { HttpSink } from "../../../test/http-sink.ts";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed, never, notification, notifierOf } from "../../../test/notifier.ts";
import { START } from "../../../test/scene.ts";
import type { Notifier } from "../integration.ts";

const webhook = (keys: string, url?: string) =>
  notifierOf(`webhook_configs: [{${url === undefined ? "" : `url: '${url}', `}${keys}}]`);

httpNotifierContract("webhook", (url) => webhook("", `${url}/hook/secret-path-1?key=secret-key-1`), {
  secrets: ["secret-path-1", "secret-key-1"],
});

let sink: HttpSink;
let open: Notifier[];
beforeEach(async () => {
  sink = await new HttpSink().start();
  open = [];
});
afterEach(async () => {
  for (const notifier of open) await notifier.close?.();
  await sink.stop();
});

const opened = (notifier: Notifier) => {
  open.push(notifier);
  return notifier;
};

describe("webhook payload version 4", () => {
  test("is what Alertmanager sends, to the byte", async () => {
    const firing = flushed(
      { severity: "page", alertname: "High" },
      {
        annotations: { summary: "a < b & c" },
        startsAt: START + 120,
        generatorURL: "http://prom/graph?g0.expr=up&g0.tab=1",
      },
    );
    const resolved = flushed({ alertname: "High", severity: "page", zone: "b" }, { endsAt: START + 1000 });
    await opened(webhook("", `${sink.url}/hook`)).notify(
      notification({ receiver: "team.a", alerts: [firing, resolved], routeLabels: { tier: "1" } }),
      never,
    );
    expect(sink.received).toHaveLength(1);
    expect(sink.received[0]).toMatchObject({
      method: "POST",
      path: "/hook",
      headers: { "content-type": "application/json", "user-agent": "Alertmanager/0.34.0" },
    });
    expect(sink.received[0]?.body).toBe(
      '{"receiver":"team\\\\.a","status":"firing","alerts":[{"status":"firing","labels":{"alertname":"High","severity":"page"},"annotations":{"summary":"a \\u003c b \\u0026 c"},"startsAt":"2026-11-21T12:00:00.12Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prom/graph?g0.expr=up\\u0026g0.tab=1","fingerprint":"c39eb804c0c52440"},{"status":"resolved","labels":{"alertname":"High","severity":"page","zone":"b"},"annotations":{},"startsAt":"2026-11-21T12:00:00Z","endsAt":"2026-11-21T12:00:01Z","generatorURL":"","fingerprint":"4a7d9425d4f6830c"}],"notification_reason":"first notification","groupLabels":{"alertname":"High"},"commonLabels":{"alertname":"High","severity":"page"},"commonAnnotations":{},"routeLabels":{"tier":"1"},"externalURL":"http://am.example","version":"4","groupKey":"{}:{alertname=\\"High\\"}","truncatedAlerts":0}\n',
    );
  });

  test("max_alerts cuts before status and common labels are computed", async () => {
    const alerts = [
      flushed({ alertname: "A", zone: "a" }, { endsAt: START + 1 }),
      flushed({ alertname: "B" }),
      flushed({ alertname: "C" }),
    ];
    await opened(webhook("max_alerts: 1", sink.url)).notify(notification({ alerts }), never);
    expect(JSON.parse(sink.received[0]?.body ?? "")).toMatchObject({
      status: "resolved",
      commonLabels: { alertname: "A", zone: "a" },
      alerts: [{ labels: { alertname: "A" } }],
      truncatedAlerts: 2,
    });
  });

  test("payload: every text and key is a template, what it renders to is read as YAML", async () => {
    const payload = `{count: '{{ len .Alerts }}', n: 'not a text key in YAML 1.1', ok: 'true', text: '{{ .Status }}', '{{ .Receiver }}': [{a: '[1, two]'}, 7, '09:30'], empty: ''}`;
    await opened(webhook(`payload: ${payload}`, sink.url)).notify(notification(), never);
    expect(sink.received[0]?.body).toBe(
      '{"count":1,"ok":true,"text":"firing","team":[{"a":[1,"two"]},7,"09:30"],"empty":""}\n',
    );
  });
});

describe("webhook request", () => {
  test("the URL may be a template", async () => {
    await opened(webhook("", `${sink.url}/{{ .GroupLabels.alertname | toLower }}`)).notify(notification(), never);
    expect(sink.received[0]?.path).toBe("/high");
  });

  test("url_file is read, trimmed, at each notification", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tocsin-webhook-"));
    const file = join(directory, "url");
    const notifier = opened(webhook(`url_file: ${file}`));
    writeFileSync(file, ` ${sink.url}/one\n`);
    await notifier.notify(notification(), never);
    writeFileSync(file, `${sink.url}/two`);
    await notifier.notify(notification(), never);
    expect(sink.received.map(({ path }) => path)).toEqual(["/one", "/two"]);
    rmSync(directory, { recursive: true });
  });

  test("timeout ends an attempt, which is tried again", async () => {
    sink.answer = () => {};
    const result = await opened(webhook("timeout: 30ms", sink.url)).notify(notification(), never);
    expect(result).toMatchObject({ status: "retry", reason: "contextDeadlineExceeded" });
  });

  test.each([
    ["basic_auth: {username: ann, password: 'p:w'}", "Basic YW5uOnA6dw=="],
    ["authorization: {credentials: t0ken}", "Bearer t0ken"],
    ["authorization: {type: GenieKey, credentials: k}", "GenieKey k"],
    ["bearer_token: old", "Bearer old"],
  ])("http_config %s", async (block, header) => {
    await opened(webhook(`http_config: {${block}}`, sink.url)).notify(notification(), never);
    expect(sink.received[0]?.headers.authorization).toBe(header);
  });

  test("http_headers are sent", async () => {
    const block = "http_config: {http_headers: {X-Team: {values: [a], secrets: [b]}}}";
    await opened(webhook(block, sink.url)).notify(notification(), never);
    expect(sink.received[0]?.headers["x-team"]).toBe("a, b");
  });

  test("oauth2: a token by client credentials is fetched once and used until it ends", async () => {
    sink.answer = (response, { path }) =>
      response.end(path === "/token" ? '{"access_token":"abc","expires_in":3600,"token_type":"Bearer"}' : "");
    const block = `http_config: {oauth2: {client_id: me, client_secret: s, token_url: '${sink.url}/token', scopes: [x, y]}}`;
    const notifier = opened(webhook(block, `${sink.url}/hook`));
    await notifier.notify(notification(), never);
    await notifier.notify(notification(), never);
    expect(sink.received.map(({ path }) => path)).toEqual(["/token", "/hook", "/hook"]);
    expect(sink.received[0]?.body).toBe("grant_type=client_credentials&scope=x+y");
    expect(sink.received[2]?.headers.authorization).toBe("Bearer abc");
  });

  test("proxy_url: requests go by way of the proxy, except to no_proxy", async () => {
    const proxy = await new HttpSink().start();
    const block = (more: string) => `http_config: {proxy_url: '${proxy.url.replace("//", "//me:pw@")}'${more}}`;
    await opened(webhook(block(""), "http://hooks.invalid/x")).notify(notification(), never);
    expect(proxy.received[0]).toMatchObject({
      path: "http://hooks.invalid/x",
      headers: { host: "hooks.invalid", "proxy-authorization": "Basic bWU6cHc=" },
    });
    await opened(webhook(block(", no_proxy: 127.0.0.1"), `${sink.url}/direct`)).notify(notification(), never);
    expect(sink.received[0]?.path).toBe("/direct");
    await proxy.stop();
  });

  test("redirects are followed unless told not to", async () => {
    sink.answer = (response, { path }) =>
      path === "/old" ? response.writeHead(307, { location: "/new" }).end() : response.end();
    await opened(webhook("", `${sink.url}/old`)).notify(notification(), never);
    expect(sink.received.map(({ path }) => path)).toEqual(["/old", "/new"]);
    const result = await opened(webhook("http_config: {follow_redirects: false}", `${sink.url}/old`)).notify(
      notification(),
      never,
    );
    expect(result).toMatchObject({ status: "failed" });
  });
});
