import { fingerprint, formatDuration, parseDuration, type Labels } from "@tocsin/model";
import { relabel } from "./relabel.ts";
import type { ScrapeJob } from "./config.ts";
import type { TargetGroup } from "./target-group.ts";

/** One endpoint to scrape. */
export interface Target {
  /** Two targets with the same key are the same. */
  key: string;
  url: string;
  /** What every series of it gets. */
  labels: Labels;
  /** Before relabelling. */
  discoveredLabels: Labels;
  intervalMs: number;
  timeoutMs: number;
}

export interface TargetSet {
  targets: Target[];
  /** Discovered labels of the targets that relabelling dropped. */
  dropped: Labels[];
  /** Targets that cannot be scraped, with the reason. */
  errors: string[];
}

/** Makes the targets of one job from the groups that discovery has found. */
export function buildTargets(job: ScrapeJob, groups: readonly TargetGroup[]): TargetSet {
  const targets = new Map<string, Target>();
  const dropped: Labels[] = [];
  const errors: string[] = [];
  for (const group of groups) {
    for (const address of group.targets) {
      const discoveredLabels = discovered(job, group, address);
      const labels = relabel(discoveredLabels, job.relabel_configs);
      if (!labels) {
        dropped.push(discoveredLabels);
        continue;
      }
      const target = toTarget(job, labels, discoveredLabels);
      if (typeof target === "string") errors.push(`${address}: ${target}`);
      else targets.set(target.key, target);
    }
  }
  return { targets: [...targets.values()], dropped, errors };
}

function discovered(job: ScrapeJob, group: TargetGroup, address: string): Record<string, string> {
  const params = Object.entries(job.params).flatMap(([name, [value]]) =>
    value === undefined ? [] : [[`__param_${name}`, value]],
  );
  return {
    job: job.job_name,
    __scrape_interval__: formatDuration(job.scrape_interval),
    __scrape_timeout__: formatDuration(job.scrape_timeout),
    __metrics_path__: job.metrics_path,
    __scheme__: job.scheme,
    ...(Object.fromEntries(params) as Record<string, string>),
    ...group.labels,
    __address__: address,
  };
}

function toTarget(job: ScrapeJob, labels: Record<string, string>, discoveredLabels: Labels): Target | string {
  const address = labels["__address__"];
  if (address === undefined) return "there is no __address__ after relabelling";
  let url: URL;
  let intervalMs: number;
  let timeoutMs: number;
  try {
    url = new URL(`${labels["__scheme__"] ?? "http"}://${address}${labels["__metrics_path__"] ?? ""}`);
    intervalMs = parseDuration(labels["__scrape_interval__"] ?? "");
    timeoutMs = parseDuration(labels["__scrape_timeout__"] ?? "");
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (url.pathname === "" || address.includes("/")) return `${JSON.stringify(address)} is not a valid host:port`;
  if (intervalMs === 0 || timeoutMs > intervalMs) return "the scrape timeout is above the scrape interval";
  for (const [name, values] of Object.entries(job.params)) {
    for (const value of values.slice(1)) url.searchParams.append(name, value);
  }
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(labels)) {
    if (name.startsWith("__param_")) url.searchParams.append(name.slice(8), value);
    if (!name.startsWith("__")) kept[name] = value;
  }
  kept["instance"] ??= address;
  const key = fingerprint({ ...kept, __url: url.href });
  return { key, url: url.href, labels: kept, discoveredLabels, intervalMs, timeoutMs };
}

/** When a target's turn is: a fixed place in each interval, which differs from target to target. */
export function nextScrapeAt(target: Target, now: number): number {
  const offset = Number(BigInt(`0x${target.key}`) % BigInt(target.intervalMs));
  const place = now - (now % target.intervalMs) + offset;
  return place > now ? place : place + target.intervalMs;
}
