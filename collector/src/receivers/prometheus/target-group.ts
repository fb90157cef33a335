import { z } from "zod";

export const LabelName = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, "not a valid label name");

export const StaticConfig = z.strictObject({
  targets: z.array(z.string().min(1)).describe("host:port"),
  labels: z.record(LabelName, z.string()).default({}).describe("labels of every one of these targets"),
});

/** Target groups as files and HTTP endpoints give them. */
export const TargetGroups = z.array(StaticConfig);
export type TargetGroup = z.output<typeof StaticConfig>;
