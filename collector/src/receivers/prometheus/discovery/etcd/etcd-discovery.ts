import { DurationMs, SecretString } from "@tocsin/platform";
import { z } from "zod";
import { LabelName, type TargetGroup } from "../../target-group.ts";
import { defineDiscovery, type DiscoveryDeps } from "../discovery.ts";
import { RegistryDiscovery, type RegistrySource } from "../registry-discovery.ts";
import { EtcdClient, type KeyValue } from "./etcd-client.ts";

const EtcdSdConfig = z.strictObject({
  endpoints: z
    .array(z.url({ protocol: /^https?$/ }))
    .min(1)
    .default(["http://127.0.0.1:2379"])
    .describe("etcd's client URLs; the next one is tried when one fails"),
  prefix: z
    .string()
    .regex(/^[\x21-\x7d]+$/, "printable ASCII without spaces")
    .default("/tocsin/services/")
    .describe("keys below it are <prefix><service>/<instance>"),
  username: z.string().min(1).optional(),
  password: SecretString.optional(),
  refresh_interval: DurationMs.refine((ms) => ms > 0, "must be above 0")
    .prefault("1m")
    .describe("how often the whole list is read beside the watch, which also finds a watch that has died silently"),
});
type EtcdSdConfig = z.output<typeof EtcdSdConfig>;

export const etcd = defineDiscovery({
  name: "etcd",
  config: EtcdSdConfig,
  create: (config, deps) => new RegistryDiscovery(new EtcdSource(config, deps), deps),
});

const Instance = z.object({ address: z.string().min(1), labels: z.record(LabelName, z.string()).default({}) });

class EtcdSource implements RegistrySource {
  readonly kind = "etcd";
  readonly #config: EtcdSdConfig;
  readonly #deps: DiscoveryDeps;
  readonly #client: EtcdClient;

  constructor(config: EtcdSdConfig, deps: DiscoveryDeps) {
    this.#config = config;
    this.#deps = deps;
    const { endpoints, username, password } = config;
    this.#client = new EtcdClient({ endpoints, username, password }, deps);
  }

  async follow(publish: (groups: readonly TargetGroup[]) => void, signal: AbortSignal): Promise<void> {
    const due = new AbortController();
    const timer = this.#deps.clock.schedule(this.#config.refresh_interval, () => due.abort());
    try {
      await this.#listAndWatch(publish, AbortSignal.any([signal, due.signal]));
    } catch (error) {
      if (signal.aborted || !due.signal.aborted) {
        this.#client.moveOn();
        throw error;
      }
    } finally {
      timer[Symbol.dispose]();
      // Ends the watch's connection, whatever the reason.
      due.abort();
    }
  }

  async #listAndWatch(publish: (groups: readonly TargetGroup[]) => void, signal: AbortSignal): Promise<void> {
    const { prefix } = this.#config;
    const session = await this.#client.open(signal);
    const { entries, revision } = await session.list(prefix, signal);
    const groups = new Map<string, TargetGroup>();
    for (const entry of entries) this.#put(groups, entry);
    publish([...groups.values()]);
    for await (const events of session.watch(prefix, revision + 1n, signal)) {
      for (const event of events) {
        if (event.type === "put") this.#put(groups, event.entry);
        else groups.delete(event.key);
      }
      publish([...groups.values()]);
    }
  }

  #put(groups: Map<string, TargetGroup>, entry: KeyValue): void {
    const group = toGroup(entry, this.#config.prefix);
    if (group) {
      groups.set(entry.key, group);
      return;
    }
    groups.delete(entry.key);
    this.#deps.metrics.invalid.inc({ kind: this.kind, job: this.#deps.job });
    this.#deps.logger.warn({ key: entry.key }, "etcd key names no target: its value is not {address, labels}");
  }
}

function toGroup({ key, value, lease }: KeyValue, prefix: string): TargetGroup | undefined {
  const [service = "", ...instance] = key.slice(prefix.length).split("/");
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    return undefined;
  }
  const parsed = Instance.safeParse(json);
  if (!parsed.success) return undefined;
  const { address, labels } = parsed.data;
  return {
    targets: [address],
    labels: {
      ...labels,
      __meta_etcd_key: key,
      __meta_etcd_service: service,
      __meta_etcd_instance: instance.join("/"),
      __meta_etcd_lease: lease ?? "",
    },
  };
}
