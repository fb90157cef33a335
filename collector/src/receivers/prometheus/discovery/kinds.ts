import { z } from "zod";
import { consul } from "./consul/consul-discovery.ts";
import type { Discovery, DiscoveryDeps, DiscoveryKind } from "./discovery.ts";
import { etcd } from "./etcd/etcd-discovery.ts";
import { file } from "./file/file-discovery.ts";
import { http } from "./http/http-discovery.ts";

/** Every way to find targets, by its key in a scrape config. */
const kinds = {
  file_sd_configs: file,
  http_sd_configs: http,
  etcd_sd_configs: etcd,
  consul_sd_configs: consul,
};

type Kinds = typeof kinds;
type Shape = { [K in keyof Kinds]: z.ZodDefault<z.ZodArray<Kinds[K]["config"]>> };
type Configs = { [K in keyof Kinds]: z.output<Kinds[K]["config"]>[] };

/** The discovery keys of a scrape config. */
export const discoveryShape = Object.fromEntries(
  Object.entries(kinds).map(([key, { config }]) => [key, z.array<z.ZodObject>(config).default([])]),
) as unknown as Shape;

/** What a job's configuration asks for; `deps` is called once for each, with an object that stands for it. */
export function createDiscoveries(configs: Configs, deps: (source: object) => DiscoveryDeps): Discovery[] {
  return Object.entries(kinds).flatMap(([key, kind]) => {
    // A kind and the configurations under its key belong together; walking the list loses that.
    const factory = kind as unknown as DiscoveryKind<string, z.ZodObject>;
    return configs[key as keyof Kinds].map((config) => factory.create(config, deps(config)));
  });
}
