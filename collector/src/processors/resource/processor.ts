import type { Batch, Resource } from "@tocsin/model";
import { defineProcessor, type Processor } from "../../component.ts";
import { Payload } from "../../payload.ts";
import { ResourceConfig, type ResourceAction } from "./config.ts";

/** Adds, changes and removes attributes of resources. */
export const resource = defineProcessor({
  name: "resource",
  config: ResourceConfig,
  create: ({ attributes }, _deps, next): Processor => ({
    name: "processor resource",
    async start() {},
    async stop() {},
    consume: (payload) => next.consume(Payload.ofBatch(changeResources(payload.batch, attributes))),
  }),
});

/** The batch with its resources changed; records that shared one still do. */
export function changeResources(batch: Batch, actions: readonly ResourceAction[]): Batch {
  const changed = new Map<Resource, Resource>();
  const change = <R extends { resource: Resource }>(record: R): R => {
    let resource = changed.get(record.resource);
    if (!resource) changed.set(record.resource, (resource = applyAll(record.resource, actions)));
    return { ...record, resource };
  };
  if (batch.signal === "logs") return { signal: batch.signal, records: batch.records.map(change) };
  if (batch.signal === "traces") return { signal: batch.signal, spans: batch.spans.map(change) };
  return { signal: batch.signal, metrics: batch.metrics.map(change) };
}

function applyAll(resource: Resource, actions: readonly ResourceAction[]): Resource {
  const attributes = { ...resource.attributes };
  for (const { key, action, value } of actions) {
    const present = Object.hasOwn(attributes, key);
    if (action === "delete") delete attributes[key];
    else if (value !== undefined && (action === "upsert" || present === (action === "update"))) attributes[key] = value;
  }
  return { attributes };
}
