import {
  createService,
  type Endpoints,
  FaultPanel,
  httpFaults,
  type Registry,
  RegistryEndpoints,
  type ServiceOptions,
  staticEndpoints,
} from "@tocsin/sample-chassis";
import type { FastifyInstance, FastifyReply } from "fastify";
import { randomUUID } from "node:crypto";
import type { Registry as MetricRegistry } from "prom-client";
import { z } from "zod";
import { gatewayMetrics } from "./metrics.ts";
import { type Order, OrderBook, PostOrder, valueYuan } from "./orders.ts";
import { Upstream } from "./upstream.ts";

export interface ApiOptions extends ServiceOptions {
  /** Milliseconds since the epoch. */
  now: () => number;
  registry: MetricRegistry;
  upstreams: Record<"sms" | "rate-limiter", UpstreamAddress>;
}

/** Where another service is: at a fixed URL, or where a registry says. */
export type UpstreamAddress = { url: string } | { registry: Registry };

const PostLogin = PostOrder.pick({ client: true, phone: true });
const VerifyLogin = z.strictObject({ phone: PostOrder.shape.phone, code: z.string().max(12) });
const Limited = z.object({ retryAfterMs: z.number().nullable() });

export function createApi(options: ApiOptions): FastifyInstance {
  const app = createService(new FaultPanel(httpFaults), options);
  const orders = new OrderBook(10_000);
  const metrics = gatewayMetrics(options.registry, () => [limiter, sms]);
  const shared = { now: options.now, log: app.log, metrics };
  const limiter = new Upstream({
    name: "rate-limiter",
    endpoints: endpoints("rate-limiter"),
    timeoutMs: 500,
    ...shared,
  });
  const sms = new Upstream({ name: "sms", endpoints: endpoints("sms"), timeoutMs: 3000, ...shared });

  function endpoints(service: keyof ApiOptions["upstreams"]): Endpoints {
    const address = options.upstreams[service];
    if ("url" in address) return staticEndpoints(address.url);
    const onFailure = () => metrics.discoveryFailures.inc({ upstream: service });
    const found = new RegistryEndpoints({ registry: address.registry, service, log: app.log, onFailure });
    app.addHook("onReady", () => found.refresh());
    app.addHook("onClose", async () => found.close());
    return found;
  }

  /** Answers 429 and returns true when the client has used up its share. Without a limiter, everybody may pass. */
  async function isLimited(client: string, reply: FastifyReply): Promise<boolean> {
    const check = await limiter.post("/check", { client, cost: 1 });
    if (check.status === "unavailable") {
      app.log.warn({ client, reason: check.reason }, "rate limiter unavailable, letting the request pass");
      return false;
    }
    if (check.statusCode !== 429) return false;
    const { retryAfterMs } = Limited.parse(check.body);
    if (retryAfterMs !== null) reply.header("retry-after", String(Math.ceil(retryAfterMs / 1000)));
    await reply.code(429).send({ statusCode: 429, message: "too many requests" });
    return true;
  }

  app.post("/orders", async (request, reply) => {
    const posted = PostOrder.safeParse(request.body);
    if (!posted.success) {
      metrics.orders.inc({ outcome: "invalid" });
      throw posted.error;
    }
    const { client, phone, items } = posted.data;
    if (await isLimited(client, reply)) {
      metrics.orders.inc({ outcome: "limited" });
      return reply;
    }
    const id = randomUUID();
    const value = valueYuan(items);
    const sent = await sms.post("/messages", {
      id,
      to: phone,
      template: "order_confirmation",
      orderId: id,
      amountYuan: value,
    });
    const confirmation = sent.status === "answered" && sent.statusCode < 400 ? "sent" : "failed";
    const createdAt = new Date(options.now()).toISOString();
    const order: Order = { id, client, items, valueYuan: value, createdAt, confirmation };
    orders.add(order);
    metrics.orderValue.observe(value);
    metrics.orders.inc({ outcome: confirmation === "sent" ? "accepted" : "accepted_without_sms" });
    if (confirmation === "sent") request.log.info({ orderId: id, client, valueYuan: value }, "order accepted");
    else request.log.error({ orderId: id, client, sms: sent }, "order accepted, its confirmation could not be sent");
    return reply.code(201).send(order);
  });

  app.get<{ Params: { id: string } }>("/orders/:id", async (request, reply) => {
    return orders.get(request.params.id) ?? reply.code(404).send({ statusCode: 404, message: "no such order" });
  });

  app.post("/logins", async (request, reply) => {
    const { client, phone } = PostLogin.parse(request.body);
    if (await isLimited(client, reply)) {
      metrics.logins.inc({ outcome: "limited" });
      return reply;
    }
    const sent = await sms.post("/codes", { to: phone });
    if (sent.status === "answered" && sent.statusCode < 400) {
      metrics.logins.inc({ outcome: "code_sent" });
      request.log.info({ client }, "login code sent");
      return reply.code(202).send({ message: "code sent" });
    }
    metrics.logins.inc({ outcome: "code_failed" });
    request.log.error({ client, sms: sent }, "login code could not be sent");
    return reply.code(503).send({ statusCode: 503, message: "the code could not be sent, try again later" });
  });

  app.post("/logins/verify", async (request, reply) => {
    const { phone, code } = VerifyLogin.parse(request.body);
    const checked = await sms.post("/codes/verify", { to: phone, code });
    if (checked.status === "unavailable") {
      metrics.logins.inc({ outcome: "unavailable" });
      return reply.code(503).send({ statusCode: 503, message: "the code could not be checked, try again later" });
    }
    const ok = checked.statusCode === 200;
    metrics.logins.inc({ outcome: ok ? "confirmed" : "wrong_code" });
    return ok ? { message: "welcome" } : reply.code(401).send({ statusCode: 401, message: "wrong code" });
  });

  return app;
}
