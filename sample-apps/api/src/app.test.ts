import Fastify from "fastify";
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import { afterEach, expect, test } from "vitest";
import { createApi } from "./app.ts";

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** An upstream that answers every POST as told. */
async function upstream(
  answer: () => { statusCode: number; body: object },
): Promise<{ url: string; calls: () => number }> {
  let calls = 0;
  const app = Fastify({ forceCloseConnections: true });
  app.post("/*", async (_request, reply) => {
    calls += 1;
    const { statusCode, body } = answer();
    return reply.code(statusCode).send(body);
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  closers.push(() => app.close());
  return { url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`, calls: () => calls };
}

const ALLOWED = { statusCode: 200, body: { decision: "allowed", tokens: 1 } };
const SENT = { statusCode: 201, body: { status: "delivered" } };
const ORDER = { client: "web", phone: "+8613800000001", items: [{ sku: "tea", quantity: 2, priceYuan: 12.35 }] };

async function gateway(
  limiterAnswer: () => typeof ALLOWED | object,
  smsAnswer: () => { statusCode: number; body: object },
) {
  const limiter = await upstream(limiterAnswer as () => { statusCode: number; body: object });
  const sms = await upstream(smsAnswer);
  const registry = new Registry();
  const app = createApi({
    logger: false,
    faultsEnabled: false,
    random: () => 0,
    now: () => 0,
    registry,
    upstreams: { sms: { url: sms.url }, "rate-limiter": { url: limiter.url } },
  });
  const post = (url: string, payload: object) => app.inject({ method: "POST", url, payload });
  return { app, post, registry, limiter, sms };
}

test("takes an order, confirms it by SMS, and shows it again", async () => {
  const { app, post, registry } = await gateway(
    () => ALLOWED,
    () => SENT,
  );
  const answer = await post("/orders", ORDER);
  expect(answer.statusCode).toBe(201);
  const order = answer.json<{ id: string }>();
  expect(order).toMatchObject({ valueYuan: 24.7, confirmation: "sent" });
  expect((await app.inject(`/orders/${order.id}`)).json()).toEqual(order);
  expect((await app.inject("/orders/none")).statusCode).toBe(404);
  expect(await registry.metrics()).toContain('orders_total{outcome="accepted"} 1');
});

test("keeps the order when its SMS fails at every provider, without holding that against the SMS service", async () => {
  const { post, registry, sms } = await gateway(
    () => ALLOWED,
    () => ({ statusCode: 502, body: { status: "failed" } }),
  );
  for (let i = 0; i < 8; i++) expect((await post("/orders", ORDER)).json()).toMatchObject({ confirmation: "failed" });
  expect(sms.calls()).toBe(8);
  const page = await registry.metrics();
  expect(page).toContain('orders_total{outcome="accepted_without_sms"} 8');
  expect(page).toContain('gateway_circuit_open{upstream="sms"} 0');
});

test("passes the limiter's refusal on, with its waiting time", async () => {
  const { post, sms, registry } = await gateway(
    () => ({ statusCode: 429, body: { decision: "limited", tokens: 0, retryAfterMs: 1200 } }),
    () => SENT,
  );
  const answer = await post("/orders", ORDER);
  expect(answer.statusCode).toBe(429);
  expect(answer.headers["retry-after"]).toBe("2");
  expect(sms.calls()).toBe(0);
  expect(await registry.metrics()).toContain('orders_total{outcome="limited"} 1');
});

test("repeats a call once, opens the circuit when failures go on, and then lets orders pass unlimited", async () => {
  const { post, limiter, registry } = await gateway(
    () => ({ statusCode: 500, body: {} }),
    () => SENT,
  );
  expect((await post("/orders", ORDER)).statusCode).toBe(201);
  expect(limiter.calls()).toBe(2);
  for (let i = 0; i < 5; i++) await post("/orders", ORDER);
  expect(limiter.calls()).toBe(5);
  const page = await registry.metrics();
  expect(page).toContain('gateway_circuit_open{upstream="rate-limiter"} 1');
  expect(page).toContain('gateway_upstream_requests_total{upstream="rate-limiter",outcome="server_error"} 5');
});

test("tells the client to come back when a login code cannot be sent", async () => {
  const { post, registry } = await gateway(
    () => ALLOWED,
    () => ({ statusCode: 502, body: {} }),
  );
  expect((await post("/logins", { client: "web", phone: ORDER.phone })).statusCode).toBe(503);
  expect(await registry.metrics()).toContain('logins_total{outcome="code_failed"} 1');
});

test("confirms a login with the right code only", async () => {
  const { post } = await gateway(
    () => ALLOWED,
    () => ({ statusCode: 422, body: { outcome: "wrong" } }),
  );
  expect((await post("/logins/verify", { phone: ORDER.phone, code: "123456" })).statusCode).toBe(401);
});

test("counts and refuses an order that is none", async () => {
  const { post, registry } = await gateway(
    () => ALLOWED,
    () => SENT,
  );
  const answer = await post("/orders", { ...ORDER, items: [] });
  expect(answer.statusCode).toBe(400);
  expect(await registry.metrics()).toContain('orders_total{outcome="invalid"} 1');
});

test("calls the instances that a registry knows, the next one when one fails, and counts when it is away", async () => {
  const limiter = await upstream(() => ALLOWED);
  const sms = await upstream(() => SENT);
  let addresses: string[] | undefined = [];
  const smsRegistry = {
    announce: async () => {},
    withdraw: async () => {},
    async addresses() {
      if (!addresses) throw new Error("away");
      return addresses;
    },
  };
  const registry = new Registry();
  const options = { logger: false, faultsEnabled: false, random: () => 0, now: () => 0, registry };
  const start = async () => {
    registry.clear();
    const app = createApi({ ...options, upstreams: { sms: { registry: smsRegistry }, "rate-limiter": limiter } });
    closers.push(() => app.close());
    return app.inject({ method: "POST", url: "/orders", payload: ORDER });
  };
  expect((await start()).json()).toMatchObject({ confirmation: "failed" });
  expect(await registry.metrics()).toContain('gateway_upstream_requests_total{upstream="sms",outcome="no_instance"} 1');
  addresses = ["127.0.0.1:1", new URL(sms.url).host];
  expect((await start()).json()).toMatchObject({ confirmation: "sent" });
  expect(sms.calls()).toBe(1);
  addresses = undefined;
  await start();
  expect(await registry.metrics()).toContain('gateway_discovery_failures_total{upstream="sms"} 1');
});
