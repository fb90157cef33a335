import { listen } from "@tocsin/sample-chassis";
import { register } from "prom-client";
import { z } from "zod";
import { createApi } from "./app.ts";

const env = z
  .object({
    HOST: z.string().default("127.0.0.1"),
    PORT: z.coerce.number().int().min(0).max(65_535).default(8081),
    LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
    FAULTS_ENABLED: z.enum(["0", "1"]).default("0"),
    SMS_URL: z.url().default("http://127.0.0.1:8082"),
    RATE_LIMITER_URL: z.url().default("http://127.0.0.1:8083"),
  })
  .parse(process.env);
const loopback = ["127.0.0.1", "::1", "localhost"].includes(env.HOST);

const app = createApi({
  logger: { level: env.LOG_LEVEL },
  faultsEnabled: env.FAULTS_ENABLED === "1" && loopback,
  random: Math.random,
  now: Date.now,
  registry: register,
  smsUrl: env.SMS_URL,
  rateLimiterUrl: env.RATE_LIMITER_URL,
});
await listen(app, { host: env.HOST, port: env.PORT });
