import type { ServiceRow } from "../trace-store.ts";

/** One row for each service, sorted by name: heard of from its first to its last, in its newest version. */
export function mergeServices(rows: readonly ServiceRow[]): ServiceRow[] {
  const merged = new Map<string, ServiceRow>();
  for (const row of rows) {
    const known = merged.get(row.name);
    if (!known) {
      merged.set(row.name, { ...row });
      continue;
    }
    if (row.lastMs >= known.lastMs && row.version !== "") known.version = row.version;
    known.firstMs = Math.min(known.firstMs, row.firstMs);
    known.lastMs = Math.max(known.lastMs, row.lastMs);
  }
  return [...merged.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
