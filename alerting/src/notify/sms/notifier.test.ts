import { expect, test } from "vitest";
import { extraNotifierOf } from "../../../test/extra-notifier.ts";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed } from "../../../test/notifier.ts";
import { START } from "../../../test/scene.ts";
import { sinkScene } from "../../../test/sink-scene.ts";

const PHONES = "to: ['+8613800000001', '+8613800000002']";
const sms = (url: string, keys = PHONES) => extraNotifierOf(`sms_configs: [{url: '${url}/', ${keys}}]`);

httpNotifierContract("sms", (url) => sms(url, "to: ['+8613800000001']"), { alsoRetried: [429] });

const scene = sinkScene();

test("every phone gets a short text", async () => {
  scene.sink.answerJson({ status: "delivered" }, 201);
  const result = await scene.notify(sms(scene.sink.url), {
    alerts: [flushed({ alertname: "High", severity: "page" }, { annotations: { summary: "too high" } })],
  });
  expect(result).toEqual({ status: "sent" });
  expect(scene.sink.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "POST /messages",
    "POST /messages",
  ]);
  expect(scene.sink.bodies).toMatchObject([
    { to: "+8613800000001", template: "alert", text: "[FIRING:1] High (page) too high" },
    { to: "+8613800000002", template: "alert" },
  ]);
});

test("another attempt has the same ids, another notification others, so that nobody is told twice", async () => {
  let refuse = true;
  scene.sink.answer = (response, { body }) => {
    const late = refuse && body.includes("+8613800000002");
    response.writeHead(late ? 503 : 201, { "retry-after": "1" }).end("{}");
  };
  const notifier = sms(scene.sink.url);
  expect(await scene.notify(notifier)).toMatchObject({ status: "retry", afterMs: 1000 });
  refuse = false;
  expect(await scene.notify(notifier)).toEqual({ status: "sent" });
  await scene.notify(notifier, { at: START + 300_000 });
  const ids = scene.sink.bodies.map(({ id }) => id);
  expect(ids.slice(0, 2)).toEqual(ids.slice(2, 4));
  expect(new Set(ids).size).toBe(4);
  expect(ids.every((id) => typeof id === "string" && id.length <= 64)).toBe(true);
});

test("a phone that is refused does not keep the others from being told", async () => {
  scene.sink.answer = (response, { body }) =>
    response.writeHead(body.includes("+8613800000001") ? 400 : 201).end("no such phone");
  expect(await scene.notify(sms(scene.sink.url))).toMatchObject({ status: "failed", reason: "clientError" });
  expect(scene.sink.received).toHaveLength(2);
});

test("a text is cut at 280 characters", async () => {
  scene.sink.answerJson({}, 201);
  await scene.notify(sms(scene.sink.url, `${PHONES}, message: '${"警".repeat(300)}'`));
  expect(scene.sink.bodies[0]).toMatchObject({ text: `${"警".repeat(279)}…` });
});

test.each([
  ["to: ['12345']", "must be a phone number"],
  ["to: []", "to"],
  ["message: x", "to"],
])("{%s} is refused", (keys, message) => expect(() => sms("http://x", keys)).toThrow(message));
