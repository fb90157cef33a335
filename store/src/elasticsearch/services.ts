import { mergeServices } from "../services/service-rows.ts";
import type { ServiceRow } from "../trace-store.ts";
import type { Searcher } from "./searcher.ts";

const MAX_SERVICES = 1000;

interface ServiceBucket {
  key: string;
  first: { value: number };
  last: { value: number };
  versions: { buckets: { key: string }[] };
}

/**
 * Services of all indices. Days that are no longer written are answered from the server's request cache, which keeps
 * what a shard said until it changes.
 */
export async function elasticServices(searchers: readonly Searcher[]): Promise<ServiceRow[]> {
  const rows = await Promise.all(searchers.map(servicesIn));
  return mergeServices(rows.flat());
}

async function servicesIn(searcher: Searcher): Promise<ServiceRow[]> {
  const times = { first: { min: { field: "@timestamp" } }, last: { max: { field: "@timestamp" } } };
  const newest = { terms: { field: "service_version", size: 1, order: { last: "desc" } }, aggs: { last: times.last } };
  const aggs = {
    services: { terms: { field: "service", size: MAX_SERVICES }, aggs: { ...times, versions: newest } },
  };
  const counted = await searcher.aggregate<{ services: { buckets: ServiceBucket[] } } | undefined>([], aggs);
  return (counted?.services.buckets ?? []).map(({ key, first, last, versions }) => ({
    name: key,
    version: versions.buckets[0]?.key ?? "",
    firstMs: first.value,
    lastMs: last.value,
  }));
}
