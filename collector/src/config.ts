import { z } from "zod";
import { exporters, processors, receivers } from "./components.ts";

type Factories = readonly { name: string; config: z.ZodObject }[];
type Enabled<C extends z.ZodObject> = z.output<C> & { enabled: boolean };
type Named<T extends Factories> = { [F in T[number] as F["name"]]: F["config"] };

/** What the YAML says, per part. Receivers run unless disabled; exporters besides the bus run when they are named. */
export interface CollectorConfig {
  receivers: { [N in keyof Named<typeof receivers>]: Enabled<Named<typeof receivers>[N]> };
  processors: { [N in keyof Named<typeof processors>]?: z.output<Named<typeof processors>[N]> }[];
  exporters: { [N in keyof Named<typeof exporters>]?: z.output<Named<typeof exporters>[N]> };
}

const enabled = z.boolean().default(true).describe("false turns the receiver off");

const shape = (factories: Factories, schema: (config: z.ZodObject) => z.ZodType) =>
  Object.fromEntries(factories.map(({ name, config }) => [name, schema(config)]));

const oneProcessor = z
  .strictObject(shape(processors, (config) => config.optional()))
  .refine((entry) => Object.keys(entry).length === 1, "one processor per entry, as in `- batch: {}`");

/**
 * The `collector` section of tocsin.yaml. It derives from the list of parts in `components.ts`: each part's own schema
 * under its name. The cast is the one place where that list's types and its schema are joined by hand.
 */
export const CollectorConfig = z.strictObject({
  receivers: z
    .strictObject(shape(receivers, (config) => config.extend({ enabled }).prefault({})))
    .prefault({})
    .describe("where telemetry comes in"),
  processors: z
    .array(oneProcessor)
    .prefault([{ memory_limiter: {} }])
    .describe("what happens to it, in order; each entry names one processor"),
  exporters: z
    .strictObject(shape(exporters, (config) => config.optional()))
    .prefault({})
    .describe("where it goes besides the bus"),
}) as unknown as z.ZodType<CollectorConfig, CollectorConfigInput>;

export interface CollectorConfigInput {
  receivers?: Record<string, unknown>;
  processors?: Record<string, unknown>[];
  exporters?: Record<string, unknown>;
}
