import { expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed, notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";
import { START } from "../../../test/scene.ts";

const discord = (url: string, keys = "") =>
  notifierOf(`discord_configs: [{webhook_url: '${url}/api/webhooks/123456789/hook-token-1', ${keys}}]`);

httpNotifierContract("discord", (url) => discord(url), { secrets: ["hook-token-1"] });

const scene = sinkScene();

test("a message is one embed, red while it fires, green when it has ended", async () => {
  await scene.notify(discord(scene.sink.url, "username: Tocsin, avatar_url: 'http://a'"));
  await scene.notify(discord(scene.sink.url), { alerts: [flushed({ alertname: "High" }, { endsAt: START + 1 })] });
  expect(scene.sink.received[0]?.path).toBe("/api/webhooks/123456789/hook-token-1");
  expect(scene.sink.bodies).toEqual([
    {
      content: "",
      username: "Tocsin",
      avatar_url: "http://a",
      embeds: [
        {
          title: "[FIRING:1] High (page)",
          description: "Firing (1):\nLabels:\n - alertname = High\n - severity = page\nAnnotations:\nSource: \n",
          color: 10_038_562,
        },
      ],
    },
    {
      content: "",
      embeds: [{ title: "[RESOLVED] High ", description: expect.any(String) as string, color: 3_066_993 }],
    },
  ]);
});

test("content, title and message are cut at 2000, 256 and 4096 characters", async () => {
  const long = "d".repeat(5000);
  await scene.notify(discord(scene.sink.url, `content: '${long}', title: '${long}', message: '${long}'`));
  expect(scene.sink.bodies[0]).toEqual({
    content: `${"d".repeat(1999)}…`,
    embeds: [{ title: `${"d".repeat(255)}…`, description: `${"d".repeat(4095)}…`, color: 10_038_562 }],
  });
});

test("a file without an address in it is final", async () => {
  const notifier = notifierOf("discord_configs: [{webhook_url_file: /dev/null}]");
  expect(await scene.notify(notifier)).toMatchObject({
    status: "failed",
    error: expect.stringContaining("not a valid URL") as string,
  });
});

test("a file that cannot be read is final", async () => {
  const notifier = notifierOf("discord_configs: [{webhook_url_file: /nowhere}]");
  expect(await scene.notify(notifier)).toMatchObject({
    status: "failed",
    error: expect.stringContaining("/nowhere") as string,
  });
});

test("a webhook is needed", () =>
  expect(() => notifierOf("discord_configs: [{}]")).toThrow("exactly one of webhook_url and webhook_url_file"));
