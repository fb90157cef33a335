import type { UseQueryResult } from "@tanstack/react-query";
import { z } from "zod";
import { getPrometheus } from "./client.ts";
import { usePolled } from "./use-polled.ts";

const LabelSet = z.record(z.string(), z.string());

const RuleAlert = z.object({
  labels: LabelSet,
  annotations: LabelSet.default({}),
  state: z.enum(["pending", "firing"]),
  activeAt: z.string(),
  value: z.string(),
});
export type RuleAlert = z.infer<typeof RuleAlert>;

const AlertingRule = z.object({
  type: z.literal("alerting"),
  state: z.string(),
  name: z.string(),
  query: z.string(),
  duration: z.number(),
  labels: LabelSet.default({}),
  annotations: LabelSet.default({}),
  health: z.string(),
  lastError: z.string().optional(),
  alerts: z.array(RuleAlert).default([]),
});
export type AlertingRule = z.infer<typeof AlertingRule>;

const Rule = z.discriminatedUnion("type", [
  AlertingRule,
  z.object({ type: z.literal("recording"), name: z.string(), query: z.string() }),
]);

const Rules = z.object({ groups: z.array(z.object({ name: z.string(), file: z.string(), rules: z.array(Rule) })) });

/** The alerting rules of all groups. */
export function useAlertingRules(): UseQueryResult<AlertingRule[]> {
  return usePolled({
    queryKey: ["rules"],
    queryFn: async ({ signal }) => {
      const { groups } = await getPrometheus("rules", Rules, { signal });
      return groups.flatMap((group) => group.rules).filter((rule) => rule.type === "alerting");
    },
  });
}
