import { z } from "zod";
import type { TargetGroup } from "../../target-group.ts";

const strings = z
  .record(z.string(), z.string())
  .nullish()
  .transform((entries) => entries ?? {});
const HealthEntry = z.object({
  Node: z.object({
    Node: z.string(),
    Address: z.string(),
    Datacenter: z.string().default(""),
    Partition: z.string().default(""),
    Meta: strings,
    TaggedAddresses: strings,
  }),
  Service: z.object({
    ID: z.string(),
    Address: z.string().default(""),
    Port: z.int().default(0),
    Tags: z
      .array(z.string())
      .nullish()
      .transform((tags) => tags ?? []),
    Meta: strings,
  }),
  Checks: z
    .array(z.object({ CheckID: z.string().default(""), Status: z.string() }))
    .nullish()
    .transform((checks) => checks ?? []),
});

/** Consul's `/v1/health/service/:name`. */
export const HealthAnswer = z.array(HealthEntry);
export type HealthAnswer = z.output<typeof HealthAnswer>;

/** An instance as Prometheus shows it. */
export function toGroup(
  { Node, Service, Checks }: z.output<typeof HealthEntry>,
  name: string,
  separator: string,
): TargetGroup {
  const host = Service.Address || Node.Address;
  return {
    targets: [`${host.includes(":") ? `[${host}]` : host}:${Service.Port}`],
    labels: {
      __meta_consul_address: Node.Address,
      __meta_consul_node: Node.Node,
      __meta_consul_dc: Node.Datacenter,
      __meta_consul_partition: Node.Partition,
      __meta_consul_health: health(Checks),
      __meta_consul_service: name,
      __meta_consul_service_id: Service.ID,
      __meta_consul_service_address: Service.Address,
      __meta_consul_service_port: String(Service.Port),
      // A separator at both ends lets a pattern look for one tag wherever it stands.
      __meta_consul_tags: separator + Service.Tags.join(separator) + separator,
      ...labelled("__meta_consul_metadata_", Node.Meta),
      ...labelled("__meta_consul_tagged_address_", Node.TaggedAddresses),
      ...labelled("__meta_consul_service_metadata_", Service.Meta),
    },
  };
}

/** As Consul's own `AggregatedStatus`: the worst of all, and maintenance is a check with a name of its own. */
function health(checks: readonly { CheckID: string; Status: string }[]): string {
  const inMaintenance = ({ CheckID }: { CheckID: string }) => /^_(node|service)_maintenance/.test(CheckID);
  if (checks.some(inMaintenance)) return "maintenance";
  return ["critical", "warning"].find((status) => checks.some(({ Status }) => Status === status)) ?? "passing";
}

function labelled(prefix: string, entries: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(entries).map(([key, value]) => [prefix + key.replace(/[^a-zA-Z0-9_]/g, "_"), value]),
  );
}
