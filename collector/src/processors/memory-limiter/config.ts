import { DurationMs, SizeBytes } from "@tocsin/platform";
import { z } from "zod";

export const MemoryLimiterConfig = z
  .strictObject({
    limit: SizeBytes.prefault("1GiB").describe("heap and buffers of the process above which everything is pushed back"),
    recover: SizeBytes.optional().describe("below this it is taken again; 90 % of the limit by default"),
    check_interval: DurationMs.prefault("1s").describe("how often memory is measured"),
  })
  .refine(({ limit, recover }) => recover === undefined || recover <= limit, {
    path: ["recover"],
    error: "is above the limit",
  });
export type MemoryLimiterConfig = z.output<typeof MemoryLimiterConfig>;
