import { DurationMs, SecretString, sleep } from "@tocsin/platform";
import { z } from "zod";
import { Authorization, BasicAuth, credentialHeaders, oneKindOfCredentials } from "../../credentials.ts";
import type { TargetGroup } from "../../target-group.ts";
import { defineDiscovery, type DiscoveryDeps } from "../discovery.ts";
import { RegistryDiscovery, type RegistrySource } from "../registry-discovery.ts";
import { requestJson } from "../request.ts";
import { HealthAnswer, toGroup } from "./health-entry.ts";

const ConsulSdConfig = z
  .strictObject({
    server: z.string().min(1).default("localhost:8500").describe("host:port of an agent"),
    scheme: z.enum(["http", "https"]).default("http"),
    token: SecretString.optional().describe("ACL token"),
    datacenter: z.string().optional().describe("the agent's own by default"),
    namespace: z.string().optional().describe("Consul Enterprise"),
    partition: z.string().optional().describe("Consul Enterprise"),
    services: z.array(z.string().min(1)).default([]).describe("names of services; all when empty"),
    tags: z.array(z.string().min(1)).default([]).describe("an instance must have all of them"),
    tag_separator: z.string().default(",").describe("joins tags in __meta_consul_tags"),
    allow_stale: z.boolean().default(true).describe("any server may answer, not only the leader"),
    refresh_interval: DurationMs.refine((ms) => ms > 0, "must be above 0")
      .prefault("30s")
      .describe("least pause between reads of the names of services; instances are followed at once"),
    basic_auth: BasicAuth.optional().describe("not together with authorization"),
    authorization: Authorization.optional().describe("not together with basic_auth"),
  })
  .refine(...oneKindOfCredentials);
type ConsulSdConfig = z.output<typeof ConsulSdConfig>;

export const consul = defineDiscovery({
  name: "consul",
  config: ConsulSdConfig,
  create: (config, deps) => new RegistryDiscovery(new ConsulSource(config, deps), deps),
});

const CatalogAnswer = z.record(z.string(), z.array(z.string()));

/** How long the agent may hold a blocking query; it adds up to a sixteenth by itself. */
const WAIT_S = 120;
const TIMEOUT_MS = 10_000;
/** Between two queries, for an agent that answers every one at once. */
const PAUSE_MS = 250;

interface Answer<T> {
  data: T;
  index: number;
}

class ConsulSource implements RegistrySource {
  readonly kind = "consul";
  readonly #config: ConsulSdConfig;
  readonly #deps: DiscoveryDeps;

  constructor(config: ConsulSdConfig, deps: DiscoveryDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** Reads all services, then holds a blocking query for each; begins anew when the names of the services change. */
  async follow(publish: (groups: readonly TargetGroup[]) => void, signal: AbortSignal): Promise<void> {
    const end = new AbortController();
    const either = AbortSignal.any([signal, end.signal]);
    try {
      const catalog = this.#config.services.length > 0 ? undefined : await this.#catalog(0, either);
      const names = catalog ? this.#wanted(catalog.data) : this.#config.services;
      const first = await Promise.all(names.map((name) => this.#health(name, 0, either)));
      const groups = new Map(names.map((name, i) => [name, this.#groups(name, first[i]?.data ?? [])]));
      const announce = () => publish([...groups.values()].flat());
      announce();
      const watches: Promise<void>[] = names.map((name, i) =>
        this.#watch(name, first[i]?.index ?? 0, either, (data) => {
          groups.set(name, this.#groups(name, data));
          announce();
        }),
      );
      if (catalog) watches.push(this.#untilNamesChange(names, catalog.index, either));
      await Promise.race(watches);
    } finally {
      // The other queries end with this one; what they have to say of that is of no interest.
      end.abort(new Error("begins anew"));
    }
  }

  async #watch(
    name: string,
    fromIndex: number,
    signal: AbortSignal,
    onChange: (data: HealthAnswer) => void,
  ): Promise<never> {
    for (let index = fromIndex; ;) {
      await sleep(this.#deps.clock, PAUSE_MS, signal);
      const answer = await this.#health(name, index, signal);
      if (answer.index !== index) onChange(answer.data);
      index = nextIndex(index, answer.index);
    }
  }

  async #untilNamesChange(names: readonly string[], fromIndex: number, signal: AbortSignal): Promise<void> {
    for (let index = fromIndex; ;) {
      await sleep(this.#deps.clock, this.#config.refresh_interval, signal);
      const answer = await this.#catalog(index, signal);
      if (this.#wanted(answer.data).join("\n") !== names.join("\n")) return;
      index = nextIndex(index, answer.index);
    }
  }

  #wanted(catalog: Record<string, string[]>): string[] {
    const hasTags = (tags: readonly string[]) => this.#config.tags.every((tag) => tags.includes(tag));
    return Object.keys(catalog)
      .filter((name) => hasTags(catalog[name] ?? []))
      .sort();
  }

  #groups(name: string, entries: HealthAnswer): TargetGroup[] {
    const { tags, tag_separator } = this.#config;
    return entries
      .filter(({ Service }) => tags.every((tag) => Service.Tags.includes(tag)))
      .map((entry) => toGroup(entry, name, tag_separator));
  }

  #catalog(index: number, signal: AbortSignal): Promise<Answer<z.output<typeof CatalogAnswer>>> {
    return this.#ask("/v1/catalog/services", CatalogAnswer, index, signal);
  }

  #health(name: string, index: number, signal: AbortSignal): Promise<Answer<HealthAnswer>> {
    return this.#ask(`/v1/health/service/${encodeURIComponent(name)}`, HealthAnswer, index, signal);
  }

  /** With an index of 0 the agent answers at once, else when there is something newer or the wait is over. */
  async #ask<S extends z.ZodType>(
    path: string,
    schema: S,
    index: number,
    signal: AbortSignal,
  ): Promise<Answer<z.output<S>>> {
    const { scheme, server, datacenter, namespace, partition, allow_stale, token, tags } = this.#config;
    const url = new URL(path, `${scheme}://${server}`);
    if (datacenter !== undefined) url.searchParams.set("dc", datacenter);
    if (namespace !== undefined) url.searchParams.set("ns", namespace);
    if (partition !== undefined) url.searchParams.set("partition", partition);
    if (allow_stale) url.searchParams.set("stale", "");
    if (path.startsWith("/v1/health/")) for (const tag of tags) url.searchParams.append("tag", tag);
    if (index > 0) {
      url.searchParams.set("index", String(index));
      url.searchParams.set("wait", `${WAIT_S}s`);
    }
    const headers = {
      ...(await credentialHeaders(this.#config)),
      ...(token && { "x-consul-token": token.reveal() }),
    };
    const timeoutMs = TIMEOUT_MS + (index > 0 ? (WAIT_S * 1000 * 17) / 16 : 0);
    const answer = await requestJson({ url, schema, headers, timeoutMs }, this.#deps, signal);
    const answered = Number(answer.headers.get("x-consul-index"));
    if (!Number.isSafeInteger(answered) || answered < 1) throw new Error("the answer has no X-Consul-Index");
    return { data: answer.data, index: answered };
  }
}

/** An index that goes back means that the server's state was restored: begin at the beginning. */
function nextIndex(before: number, answered: number): number {
  return answered >= before ? answered : 0;
}
