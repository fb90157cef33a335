import { createService, FaultPanel, httpFaults, type ServiceOptions } from "@tocsin/sample-chassis";
import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";
import { z } from "zod";
import { DEFAULT_POLICIES, Limiter } from "./limiter.ts";
import { limiterMetrics } from "./metrics.ts";

const Check = z.strictObject({ client: z.string().min(1).max(64), cost: z.number().min(0).max(1000).default(1) });

const faults = {
  ...httpFaults,
  misconfigured: {
    description: "A wrong configuration: buckets that hold almost nothing, so that everything is limited",
    params: { capacity: 0, refill_per_second: 0 },
  },
};

export interface RateLimiterOptions extends ServiceOptions {
  /** Milliseconds since the epoch. */
  now: () => number;
  registry: Registry;
}

export function createRateLimiter(options: RateLimiterOptions): FastifyInstance {
  const panel = new FaultPanel(faults);
  const app = createService(panel, options);
  const limiter = new Limiter(DEFAULT_POLICIES, options.now);
  const metrics = limiterMetrics(limiter, options.registry);

  app.post("/check", async (request, reply) => {
    const { client, cost } = Check.parse(request.body);
    const wrong = panel.active("misconfigured");
    limiter.override(wrong && { capacity: wrong["capacity"] ?? 0, refillPerSecond: wrong["refill_per_second"] ?? 0 });
    const decision = limiter.check(client, cost);
    metrics.decisions.inc({ decision: decision.decision, client: decision.client });
    if (decision.decision === "allowed") {
      request.log.debug({ client, cost, tokens: decision.tokens }, "request allowed");
      return decision;
    }
    request.log.warn({ client, cost, tokens: decision.tokens, retryAfterMs: decision.retryAfterMs }, "request limited");
    return reply.code(429).send(decision);
  });

  app.get<{ Params: { client: string } }>("/buckets/:client", async (request, reply) => {
    const bucket = limiter.buckets().find(({ client }) => client === request.params.client);
    return bucket ?? reply.code(404).send({ statusCode: 404, message: "no bucket of this name" });
  });

  return app;
}
