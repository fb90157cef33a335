import { listen, openRegistry, registryEnv } from "@tocsin/sample-chassis";
import { register } from "prom-client";
import { z } from "zod";
import { createApi, type UpstreamAddress } from "./app.ts";

const env = z
  .object({
    HOST: z.string().default("127.0.0.1"),
    PORT: z.coerce.number().int().min(0).max(65_535).default(8081),
    LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
    FAULTS_ENABLED: z.enum(["0", "1"]).default("0"),
    ...registryEnv,
    SMS_URL: z.url().optional(),
    RATE_LIMITER_URL: z.url().optional(),
  })
  .parse(process.env);
const loopback = ["127.0.0.1", "::1", "localhost"].includes(env.HOST);

const registry = env.REGISTRY === undefined ? undefined : openRegistry(env.REGISTRY);

/** A URL that was given holds; else the registry is asked, if there is one. */
function upstream(url: string | undefined, fallback: string): UpstreamAddress {
  if (url !== undefined) return { url };
  return registry ? { registry } : { url: fallback };
}

const app = createApi({
  logger: { level: env.LOG_LEVEL },
  faultsEnabled: env.FAULTS_ENABLED === "1" && loopback,
  random: Math.random,
  now: Date.now,
  registry: register,
  upstreams: {
    sms: upstream(env.SMS_URL, "http://127.0.0.1:8082"),
    "rate-limiter": upstream(env.RATE_LIMITER_URL, "http://127.0.0.1:8083"),
  },
});
await listen(app, {
  host: env.HOST,
  port: env.PORT,
  service: "api",
  registry: env.REGISTRY,
  advertiseHost: env.ADVERTISE_HOST,
});
