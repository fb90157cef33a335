import { expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed, notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";
import { START } from "../../../test/scene.ts";
import { pushoverAt } from "./notifier.ts";

const pushover = (url: string, keys = "") =>
  notifierOf(`pushover_configs: [{user_key: user-key-1, token: app-token-1, ${keys}}]`, {
    integrations: [pushoverAt(`${url}/1/messages.json`)],
  });

httpNotifierContract("pushover", (url) => pushover(url), { secrets: ["user-key-1", "app-token-1"] });

const scene = sinkScene();
const asked = (i = 0) => {
  const url = new URL(scene.sink.received[i]?.path ?? "", scene.sink.url);
  return { path: url.pathname, ...Object.fromEntries(url.searchParams) };
};

test("a message is a query, urgent while it fires and normal when it has ended", async () => {
  await scene.notify(pushover(scene.sink.url));
  await scene.notify(pushover(scene.sink.url), { alerts: [flushed({ alertname: "High" }, { endsAt: START + 1 })] });
  expect(asked()).toEqual({
    path: "/1/messages.json",
    token: "app-token-1",
    user: "user-key-1",
    title: "[FIRING:1] High (page)",
    message: "Firing (1):\nLabels:\n - alertname = High\n - severity = page\nAnnotations:\nSource:",
    url: "http://am.example/#/alerts?receiver=team",
    url_title: "",
    priority: "2",
    retry: "60",
    expire: "3600",
    device: "",
    sound: "",
  });
  expect(scene.sink.received[0]).toMatchObject({ method: "POST", body: "", headers: { "content-type": "text/plain" } });
  expect(asked(1)).toMatchObject({ priority: "0", title: "[RESOLVED] High " });
});

test("title, message and url are cut at 250, 1024 and 512 characters; an empty message says so", async () => {
  const long = "p".repeat(2000);
  await scene.notify(
    pushover(scene.sink.url, `title: '${long}', message: '${long}', url: '${long}', ttl: 90s, device: d, sound: s`),
  );
  await scene.notify(pushover(scene.sink.url, "message: ' ', monospace: true"));
  expect(asked()).toMatchObject({
    title: `${"p".repeat(249)}…`,
    message: `${"p".repeat(1023)}…`,
    url: `${"p".repeat(511)}…`,
    ttl: "90",
    device: "d",
    sound: "s",
  });
  expect(asked(1)).toMatchObject({ message: "(no details)", monospace: "1" });
});

test("as HTML, values are escaped", async () => {
  await scene.notify(pushover(scene.sink.url, "html: true, message: '<b>{{ .CommonAnnotations.summary }}</b>'"), {
    alerts: [flushed({ alertname: "High" }, { annotations: { summary: "a < b" } })],
  });
  expect(asked()).toMatchObject({ html: "1", message: "<b>a &lt; b</b>" });
});

test.each([
  ["{token: x}", "exactly one of user_key and user_key_file"],
  ["{user_key: x, token: y, token_file: z}", "exactly one of token and token_file"],
  ["{user_key: x, token: y, html: true, monospace: true}", "at most one of html and monospace"],
])("%s is refused", (block, message) => expect(() => notifierOf(`pushover_configs: [${block}]`)).toThrow(message));
