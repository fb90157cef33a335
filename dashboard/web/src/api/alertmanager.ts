import { type Matcher, type Labels, fingerprint } from "@tocsin/model";
import { useMutation, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { z } from "zod";
import { getJson, sendJson } from "./client.ts";
import { usePolled } from "./use-polled.ts";

const LabelSet = z.record(z.string(), z.string());

const GettableAlert = z.object({
  labels: LabelSet,
  annotations: LabelSet.default({}),
  startsAt: z.string(),
  endsAt: z.string(),
  updatedAt: z.string(),
  fingerprint: z.string(),
  generatorURL: z.string().optional(),
  receivers: z.array(z.object({ name: z.string() })).default([]),
  status: z.object({
    state: z.enum(["unprocessed", "active", "suppressed"]),
    silencedBy: z.array(z.string()),
    inhibitedBy: z.array(z.string()),
    mutedBy: z.array(z.string()).default([]),
  }),
});
export type GettableAlert = z.infer<typeof GettableAlert>;

const AlertGroup = z.object({
  labels: LabelSet,
  receiver: z.object({ name: z.string() }),
  alerts: z.array(GettableAlert),
});
export type AlertGroup = z.infer<typeof AlertGroup>;

const GettableSilence = z.object({
  id: z.string(),
  status: z.object({ state: z.enum(["active", "pending", "expired"]) }),
  startsAt: z.string(),
  endsAt: z.string(),
  updatedAt: z.string(),
  createdBy: z.string(),
  comment: z.string(),
  matchers: z.array(
    z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean().default(true) }),
  ),
});
export type GettableSilence = z.infer<typeof GettableSilence>;

/** Why an alert is or is not on its way to somebody. Silences come first: they are somebody's decision. */
export type AlertCondition = "active" | "silenced" | "inhibited";

export function conditionOf(alert: GettableAlert): AlertCondition {
  if (alert.status.silencedBy.length > 0) return "silenced";
  return alert.status.inhibitedBy.length > 0 || alert.status.mutedBy.length > 0 ? "inhibited" : "active";
}

/** The alert that always fires, to show that alerts get through: a sign of health, not a trouble. */
export const isWatchdog = ({ labels }: { labels: Labels }): boolean => labels["alertname"] === "Watchdog";

/** Every alert the router holds: active, silenced and inhibited. */
export function useAlerts(): UseQueryResult<GettableAlert[]> {
  return usePolled({
    queryKey: ["alerts", "list"],
    queryFn: ({ signal }) => getJson("/api/v2/alerts", z.array(GettableAlert), { signal }),
  });
}

export function useAlertGroups(): UseQueryResult<AlertGroup[]> {
  return usePolled({
    queryKey: ["alerts", "groups"],
    queryFn: ({ signal }) => getJson("/api/v2/alerts/groups", z.array(AlertGroup), { signal }),
  });
}

export function useSilences(): UseQueryResult<GettableSilence[]> {
  return usePolled({
    queryKey: ["silences"],
    queryFn: ({ signal }) => getJson("/api/v2/silences", z.array(GettableSilence), { signal }),
  });
}

export interface SilenceDraft {
  /** Set when an existing silence is changed. */
  id?: string;
  matchers: readonly Matcher[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
}

export function useSaveSilence() {
  return useSilenceMutation((draft: SilenceDraft) => {
    const matchers = draft.matchers.map(({ name, type, value }) => ({
      name,
      value,
      isRegex: type === "=~" || type === "!~",
      isEqual: type === "=" || type === "=~",
    }));
    return sendJson("/api/v2/silences", { method: "POST", body: { ...draft, matchers } });
  });
}

export function useExpireSilence() {
  return useSilenceMutation((id: string) =>
    sendJson(`/api/v2/silence/${encodeURIComponent(id)}`, { method: "DELETE" }),
  );
}

function useSilenceMutation<T>(mutationFn: (input: T) => Promise<void>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["silences"] }),
        client.invalidateQueries({ queryKey: ["alerts"] }),
      ]),
  });
}

/** A silence's matchers in the vocabulary of the rest of the system. */
export function matchersOf(silence: GettableSilence): Matcher[] {
  return silence.matchers.map(({ name, value, isRegex, isEqual }) => ({
    name,
    value,
    type: isRegex ? (isEqual ? "=~" : "!~") : isEqual ? "=" : "!=",
  }));
}

export function groupId(group: AlertGroup): string {
  return `${group.receiver.name}/${fingerprint(group.labels)}`;
}

/** The labels every one of the alerts has with the same value. */
export function sharedLabels(alerts: readonly { labels: Labels }[]): Labels {
  const [first, ...others] = alerts;
  if (first === undefined) return {};
  return Object.fromEntries(
    Object.entries(first.labels).filter(([name, value]) => others.every((alert) => alert.labels[name] === value)),
  );
}
