import { createSelfMetrics } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { expect, test } from "vitest";
import { Payload } from "../../payload.ts";
import { requests } from "../../testing/records.ts";
import { MemoryLimiterConfig } from "./config.ts";
import { MemoryLimiter } from "./processor.ts";

test("pushes back from the limit until memory has fallen to the lower mark", async () => {
  const clock = new ManualClock();
  const used = { bytes: 0 };
  const next = { consume: async () => ({ status: "ok" }) as const };
  const deps = { clock, logger: silentLogger, registry: createSelfMetrics("test") };
  const config = MemoryLimiterConfig.parse({ limit: 1000, recover: 800, check_interval: "1s" });
  const limiter = new MemoryLimiter(config, deps, next, () => used.bytes);
  await limiter.start();
  const payload = Payload.ofBytes("logs", requests.logs, { records: 1, service: "sms" });
  const seen: string[] = [];
  for (const bytes of [999, 1000, 900, 800, 799, 999]) {
    used.bytes = bytes;
    await clock.advance(1000);
    seen.push(`${bytes} ${(await limiter.consume(payload)).status}`);
  }
  expect(seen).toEqual(["999 ok", "1000 retry", "900 retry", "800 retry", "799 ok", "999 ok"]);
  await limiter.stop();
  expect(clock.pending).toBe(0);
});
