import type { Resource, Scope } from "../signal.ts";

export interface ResourceGroup<R> {
  resource: Resource;
  scopes: { scope: Scope; records: R[] }[];
}

/** Neighbours that share the resource object, and within them the scope object, in order. */
export function groups<R extends { resource: Resource; scope: Scope }>(records: readonly R[]): ResourceGroup<R>[] {
  const result: ResourceGroup<R>[] = [];
  let group: ResourceGroup<R> | undefined;
  let scoped: { scope: Scope; records: R[] } | undefined;
  for (const record of records) {
    if (group?.resource !== record.resource) {
      group = { resource: record.resource, scopes: [] };
      scoped = undefined;
      result.push(group);
    }
    if (scoped?.scope !== record.scope) {
      scoped = { scope: record.scope, records: [] };
      group.scopes.push(scoped);
    }
    scoped.records.push(record);
  }
  return result;
}
