import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createSms } from "./app.ts";

const PHONE = "+8613800000001";

function sms() {
  const registry = new Registry();
  // 0.5 makes every send succeed in its typical time.
  const app = createSms({ logger: false, faultsEnabled: true, random: () => 0.5, now: () => 0, registry });
  const post = (url: string, payload: object) => app.inject({ method: "POST", url, payload });
  const confirm = (id: string) =>
    post("/messages", { id, to: PHONE, template: "order_confirmation", orderId: id, amountYuan: 9.5 });
  const outage = (active: boolean) =>
    app.inject({ method: "PUT", url: "/faults/provider_outage", payload: { active } });
  return { app, registry, post, confirm, outage };
}

test("delivers a message and remembers it, with the phone masked", async () => {
  const { app, confirm } = sms();
  expect((await confirm("o-1")).statusCode).toBe(201);
  expect((await app.inject("/messages/o-1")).json()).toEqual({
    id: "o-1",
    to: "+86*******0001",
    template: "order_confirmation",
    status: "delivered",
    provider: "aurora",
    createdAt: "1970-01-01T00:00:00.000Z",
    error: null,
  });
  expect((await app.inject(`/handsets/${encodeURIComponent(PHONE)}`)).json()).toEqual({
    text: "Your order o-1 over ¥9.50 is confirmed.",
  });
});

test("sends a message of one id once", async () => {
  const { registry, confirm } = sms();
  await confirm("o-1");
  await confirm("o-1");
  expect(await registry.metrics()).toContain('sms_messages_total{provider="aurora",outcome="delivered"} 1');
});

test("fails every message from the first on in a provider outage, and recovers with it", async () => {
  const { registry, confirm, outage } = sms();
  await outage(true);
  for (let i = 0; i < 5; i++) expect((await confirm(`o-${i}`)).statusCode).toBe(502);
  const page = await registry.metrics();
  expect(page).toContain('sms_messages_total{provider="borealis",outcome="failed"} 5');
  expect(page).toContain('sms_messages_total{provider="aurora",outcome="delivered"} 0');
  expect(page).toContain('sms_failover_total{from="aurora",to="borealis"} 5');
  expect(page).toContain('sms_provider_up{provider="aurora"} 0');
  await outage(false);
  expect((await confirm("o-0")).json()).toMatchObject({ status: "delivered" });
});

test("passes on an alert as it was written", async () => {
  const { app, post } = sms();
  const sent = await post("/messages", { id: "a-1", to: PHONE, template: "alert", text: "[FIRING:1] High" });
  expect(sent.statusCode).toBe(201);
  const handset = await app.inject(`/handsets/${encodeURIComponent(PHONE)}`);
  expect(handset.json()).toEqual({ text: "[FIRING:1] High" });
});

test("issues a code that the phone shows and that verifies once", async () => {
  const { app, post } = sms();
  expect((await post("/codes", { to: PHONE })).statusCode).toBe(201);
  const { text } = (await app.inject(`/handsets/${encodeURIComponent(PHONE)}`)).json<{ text: string }>();
  const code = text.slice(0, 6);
  expect((await post("/codes/verify", { to: PHONE, code })).json()).toEqual({ outcome: "ok" });
  expect((await post("/codes/verify", { to: PHONE, code })).statusCode).toBe(422);
});

test.each([
  ["an unknown template", { to: PHONE, template: "spam" }],
  ["no phone number", { to: "12345", template: "order_shipped", orderId: "1", carrier: "SF" }],
])("refuses %s", async (_what, payload) => {
  const { post } = sms();
  expect((await post("/messages", payload)).statusCode).toBe(400);
});
