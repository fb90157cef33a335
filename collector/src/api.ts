import type { DeadLetters } from "@tocsin/bus";
import { parseMatchers, type PipelineStatus, type RejectList, type Signal } from "@tocsin/model";
import { parseRequest } from "@tocsin/platform";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { SIGNALS, type SignalAccount } from "./accounts.ts";
import type { Collector } from "./app.ts";
import { discoveryApi } from "./discovery-api.ts";
import { SIGNAL_TOPICS } from "./exporters/bus/exporter.ts";
import { excerptOf } from "./rejects.ts";

export interface CollectorApiOptions {
  collector: Pick<Collector, "accounts" | "rejects" | "scrapes">;
  /** Left out where the bus keeps its own, as Kafka does. */
  deadLetters?: Pick<DeadLetters, "list" | "records">;
  /** What the writers left out of messages they took, by signal and reason: delta metrics, for one. */
  writerDropped?: () => Promise<Partial<Record<Signal, Record<string, number>>>>;
  /** What the stores keep, for the pipeline's view; left out where they are elsewhere. */
  storage?: () => Promise<Pick<PipelineStatus, "oldest" | "bytes">>;
}

/**
 * `/api/tocsin/v1/{pipeline,rejects,discovery/targets}` and Prometheus' `/api/v1/{targets,scrape_pools,targets/metadata}`. Registered
 * without prefix.
 */
export async function collectorApi(app: FastifyInstance, options: CollectorApiOptions): Promise<void> {
  const { collector, deadLetters, storage, writerDropped } = options;

  app.get("/api/tocsin/v1/pipeline", async (): Promise<PipelineStatus> => {
    const { oldest, bytes } = storage ? await storage() : { oldest: {}, bytes: 0 };
    const left = writerDropped ? await writerDropped() : {};
    const signals = collector.accounts().map((account) => {
      const deadLettered = deadLetters?.records(SIGNAL_TOPICS[account.signal]) ?? 0;
      return pipelineEntry(account, deadLettered, left[account.signal] ?? {});
    });
    return { signals, oldest, bytes };
  });

  app.get("/api/tocsin/v1/rejects", async (): Promise<RejectList> => {
    const refused = collector.rejects().map((reject) => ({ ...reject, at: reject.at }));
    const setAside = (deadLetters?.list() ?? []).map((letter) => ({
      at: letter.at,
      signal: signalOf(letter.topic),
      source: `${letter.topic} → ${letter.group}`,
      reason: letter.reason,
      bytes: letter.bytes,
      excerpt: excerptOf(letter.excerpt),
    }));
    const newestFirst = [...refused, ...setAside].sort((a, b) => b.at - a.at).slice(0, 200);
    return { items: newestFirst.map((item) => ({ ...item, at: new Date(item.at).toISOString() })) };
  });

  discoveryApi(app, collector);
  await app.register(async (scope) => prometheusApi(scope, collector));
}

/** The account as seen beyond the bus: of what it took, some was set aside and some left out by the writers. */
function pipelineEntry(
  account: SignalAccount,
  deadLettered: number,
  writerDropped: Record<string, number>,
): PipelineStatus["signals"][number] {
  const { signal, received, queued } = account;
  const dropped = { ...account.dropped };
  for (const [reason, records] of Object.entries(writerDropped)) dropped[reason] = (dropped[reason] ?? 0) + records;
  const written = account.written - deadLettered - sum(writerDropped);
  return { signal, received, rejected: sum(account.rejected), queued, written, deadLettered, dropped };
}

function sum(records: Record<string, number>): number {
  return Object.values(records).reduce((total, count) => total + count, 0);
}

function signalOf(topic: string): string {
  return SIGNALS.find((signal: Signal) => SIGNAL_TOPICS[signal] === topic) ?? topic;
}

const list = z
  .union([z.string(), z.array(z.string())])
  .transform((value) => (typeof value === "string" ? [value] : value));
const TargetsQuery = z.object({
  state: z.enum(["active", "dropped", "any", ""]).default("any"),
  scrapePool: list.default([]),
});
const MetadataQuery = z.object({
  match_target: z.string().default(""),
  metric: z.string().default(""),
  limit: z.coerce.number().int().default(-1),
});

/** Prometheus' envelope and errors, in a scope of their own. */
function prometheusApi(app: FastifyInstance, { scrapes }: Pick<Collector, "scrapes">): void {
  app.setErrorHandler(async (error, _request, reply) => {
    const message = error instanceof Error ? error.message : String(error);
    return reply.code(400).send({ status: "error", errorType: "bad_data", error: message });
  });

  app.get("/api/v1/scrape_pools", async () => success({ scrapePools: scrapes?.pools() ?? [] }));

  app.get("/api/v1/targets", async (request) => {
    const { state, scrapePool } = parseRequest(TargetsQuery, request.query);
    const wanted = (pool: string) => scrapePool.length === 0 || scrapePool.includes(pool);
    const view = scrapes?.targets() ?? { active: [], dropped: [] };
    const dropped = view.dropped.filter((target) => wanted(target.scrapePool));
    const counts: Record<string, number> = Object.fromEntries(
      (scrapes?.pools() ?? []).filter(wanted).map((pool) => [pool, 0]),
    );
    for (const { scrapePool } of dropped) counts[scrapePool] = (counts[scrapePool] ?? 0) + 1;
    const showDropped = state !== "active";
    return success({
      activeTargets: state === "dropped" ? [] : view.active.filter((target) => wanted(target.scrapePool)),
      droppedTargets: showDropped ? dropped : [],
      droppedTargetCounts: showDropped ? counts : null,
    });
  });

  app.get("/api/v1/targets/metadata", async (request) => {
    const { match_target, metric, limit } = parseRequest(MetadataQuery, request.query);
    const matchers = match_target === "" ? [] : parseMatchers(match_target).matchers;
    const entries = scrapes?.metadata(matchers, metric) ?? [];
    return success(limit >= 0 ? entries.slice(0, limit) : entries);
  });
}

const success = (data: unknown) => ({ status: "success", data });
