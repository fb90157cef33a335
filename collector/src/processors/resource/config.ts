import { z } from "zod";

const Value = z.union([z.string(), z.number(), z.boolean()]);

const Action = z
  .strictObject({
    key: z.string().min(1).describe("resource attribute"),
    action: z
      .enum(["insert", "update", "upsert", "delete"])
      .describe("insert: only where it is missing; update: only where it is there; upsert: both; delete"),
    value: Value.optional().describe("string, number or boolean"),
  })
  .superRefine(({ action, value }, context) => {
    if (action === "delete" && value !== undefined)
      context.addIssue({ code: "custom", path: ["value"], message: "delete takes no value" });
    if (action !== "delete" && value === undefined)
      context.addIssue({ code: "custom", path: ["value"], message: `${action} needs a value` });
  });
export type ResourceAction = z.output<typeof Action>;

export const ResourceConfig = z.strictObject({
  attributes: z.array(Action).min(1).describe("changes, in order"),
});
