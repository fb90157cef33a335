import { untilToldToStop } from "@tocsin/sample-chassis";
import { z } from "zod";
import { Driver } from "./driver.ts";
import { visit } from "./shopper.ts";

const env = z
  .object({
    API_URL: z.url().default("http://127.0.0.1:8081"),
    SMS_URL: z.url().default("http://127.0.0.1:8082"),
    LOAD_RPS: z.coerce.number().min(0.01).max(500).default(8),
    LOAD_SWING: z.coerce.number().min(0).max(1).default(0.35),
    LOAD_PEAK_HOUR: z.coerce.number().min(0).max(24).default(15),
    LOAD_MAX_CONCURRENT: z.coerce.number().int().min(1).max(1000).default(100),
  })
  .parse(process.env);

const shop = { apiUrl: env.API_URL, smsUrl: env.SMS_URL, timeoutMs: 10_000, random: Math.random };
const driver = new Driver({
  rhythm: { baseRps: env.LOAD_RPS, swing: env.LOAD_SWING, peakHour: env.LOAD_PEAK_HOUR },
  maxConcurrent: env.LOAD_MAX_CONCURRENT,
  visit: () => visit(shop),
  random: Math.random,
  now: () => new Date(),
});
driver.start();
process.stdout.write(`ready load on ${env.API_URL}, ${env.LOAD_RPS} visits/s\n`);
const reason = await untilToldToStop();
driver.stop();
process.stdout.write(`stopping: ${reason}; ${JSON.stringify(driver.counts)}\n`);
process.exit(0);
