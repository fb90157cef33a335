import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { createRateLimiter } from "./app.ts";

function rateLimiter(faultsEnabled = true) {
  const registry = new Registry();
  let now = 0;
  const app = createRateLimiter({ logger: false, faultsEnabled, random: () => 0, now: () => now, registry });
  const check = (client: string, cost = 1) => app.inject({ method: "POST", url: "/check", payload: { client, cost } });
  return { app, registry, check, advance: (ms: number) => (now += ms) };
}

test("limits each client by its own bucket and strangers by a shared one", async () => {
  const { app, check, advance } = rateLimiter();
  expect((await check("web", 60)).json()).toEqual({ decision: "allowed", tokens: 0, client: "web" });
  expect((await check("web")).statusCode).toBe(429);
  expect((await check("ios")).statusCode).toBe(200);
  expect((await check("somebody", 10)).json()).toMatchObject({ client: "other" });
  expect((await check("somebody else")).statusCode).toBe(429);
  advance(50);
  expect((await check("web")).statusCode).toBe(200);
  expect((await app.inject("/buckets/web")).json()).toEqual({
    client: "web",
    capacity: 60,
    refillPerSecond: 20,
    tokens: 0,
  });
  expect((await app.inject("/buckets/nobody")).statusCode).toBe(404);
});

test("limits everything while misconfigured, and nothing more once that is undone", async () => {
  const { app, registry, check } = rateLimiter();
  const fault = (active: boolean) => app.inject({ method: "PUT", url: "/faults/misconfigured", payload: { active } });
  expect((await fault(true)).statusCode).toBe(200);
  expect((await check("web")).statusCode).toBe(429);
  expect(await registry.metrics()).toContain('rate_limiter_bucket_capacity{client="web"} 0');
  await fault(false);
  expect((await check("web")).json()).toMatchObject({ decision: "allowed", tokens: 59 });
  expect(await registry.metrics()).toContain('rate_limiter_decisions_total{decision="limited",client="web"} 1');
});

test("refuses what is no check", async () => {
  const { app } = rateLimiter();
  const answer = await app.inject({ method: "POST", url: "/check", payload: { cost: -1 } });
  expect(answer.statusCode).toBe(400);
  expect(answer.json<{ message: string }>().message).toMatch(/^client: .*; cost: /);
});
