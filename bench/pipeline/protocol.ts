import type { KafkaBusConfig } from "@tocsin/bus";
import type { z } from "zod";

export interface WorkerSetup {
  role: "collector" | "bare" | "consumer";
  config: z.input<typeof KafkaBusConfig>;
  dataDir: string;
}

export type Order =
  | { kind: "begin" }
  | { kind: "cost" }
  | { kind: "produce"; values: string[]; count: number; atOnce: number }
  | { kind: "consume"; messages: number };

/** What a process has used since it began. */
export interface Cost {
  cpuS: number;
  rssMb: number;
  loopP99Ms: number;
}
