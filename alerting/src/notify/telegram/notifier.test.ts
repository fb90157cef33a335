import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed, notifierOf } from "../../../test/notifier.ts";
import { sinkScene } from "../../../test/sink-scene.ts";

const telegram = (url: string, keys = "chat_id: -100123") =>
  notifierOf(`telegram_configs: [{api_url: '${url}', bot_token: '42:AAbb-secret', ${keys}}]`);

const OK = '{"ok":true,"result":{"message_id":1}}';
httpNotifierContract("telegram", (url) => telegram(url), {
  accepts: { body: OK, type: "application/json" },
  alsoRetried: [429],
  secrets: ["42:AAbb-secret"],
});

const scene = sinkScene();

describe("a message", () => {
  test("goes to the bot's sendMessage as HTML without link preview; values are escaped", async () => {
    await scene.notify(telegram(scene.sink.url), {
      alerts: [flushed({ alertname: "High" }, { annotations: { summary: "a < b" } })],
    });
    expect(scene.sink.received[0]).toMatchObject({ method: "POST", path: "/bot42:AAbb-secret/sendMessage" });
    expect(scene.sink.bodies[0]).toEqual({
      chat_id: -100123,
      parse_mode: "HTML",
      disable_web_page_preview: true,
      text: "Firing (1):\nLabels:\n - alertname = High\nAnnotations:\n - summary = a &lt; b\nSource: \n",
    });
  });

  test("goes to a topic, without a sound, in another markup", async () => {
    await scene.notify(
      telegram(
        scene.sink.url,
        "chat_id: 7, message_thread_id: 3, disable_notifications: true, parse_mode: MarkdownV2, message: '*{{ .Status }}* <'",
      ),
    );
    expect(scene.sink.bodies[0]).toEqual({
      chat_id: 7,
      message_thread_id: 3,
      disable_notification: true,
      disable_web_page_preview: true,
      parse_mode: "MarkdownV2",
      text: "*firing* <",
    });
  });

  test("that is too long is replaced in HTML and cut otherwise", async () => {
    const long = `chat_id: 1, message: '${"é".repeat(4097)}'`;
    await scene.notify(telegram(scene.sink.url, long));
    await scene.notify(telegram(scene.sink.url, `${long}, parse_mode: ''`));
    expect(scene.sink.bodies[0]?.["text"]).toMatch(/longer than Telegram allows/);
    expect(scene.sink.bodies[1]?.["text"]).toBe(`${"é".repeat(4095)}…`);
    expect(scene.sink.bodies[1]).not.toHaveProperty("parse_mode");
  });

  test("the chat's number can come from a file", async () => {
    const folder = mkdtempSync(join(tmpdir(), "telegram-"));
    const file = join(folder, "chat");
    writeFileSync(file, " -99\n");
    await scene.notify(telegram(scene.sink.url, `chat_id_file: '${file}'`));
    writeFileSync(file, "ops");
    const bad = await scene.notify(telegram(scene.sink.url, `chat_id_file: '${file}'`));
    rmSync(folder, { recursive: true });
    expect(scene.sink.bodies[0]?.["chat_id"]).toBe(-99);
    expect(bad).toMatchObject({ status: "failed" });
  });
});

test("a flood waits as long as Telegram says", async () => {
  scene.sink.answerJson(
    { ok: false, error_code: 429, description: "Too Many Requests", parameters: { retry_after: 13 } },
    429,
  );
  expect(await scene.notify(telegram(scene.sink.url))).toMatchObject({
    status: "retry",
    reason: "rateLimited",
    afterMs: 13_000,
  });
});

test("the token of the global section is taken over, its own beats it", async () => {
  const block = (keys: string) =>
    notifierOf(`telegram_configs: [{chat_id: 1, ${keys}}]`, {
      global: `{telegram_api_url: '${scene.sink.url}', telegram_bot_token: 'global'}`,
    });
  await scene.notify(block(""));
  await scene.notify(block("bot_token: own"));
  expect(scene.sink.received.map(({ path }) => path)).toEqual(["/botglobal/sendMessage", "/botown/sendMessage"]);
});

test.each([
  ["{bot_token: x}", "exactly one of chat_id and chat_id_file"],
  ["{chat_id: 1}", "missing bot_token or bot_token_file"],
  ["{chat_id: 1, bot_token: x, bot_token_file: y}", "at most one of bot_token and bot_token_file"],
  ["{chat_id: 1, bot_token: x, parse_mode: html}", "must be one of HTML, Markdown, MarkdownV2"],
])("%s is refused", (block, message) => expect(() => notifierOf(`telegram_configs: [${block}]`)).toThrow(message));
