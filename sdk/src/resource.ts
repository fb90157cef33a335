import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";

const SDK_VERSION = "0.1.0";

/**
 * Who the telemetry is from: what `OTEL_…` says, else the app's package.json, else `unknown_service:node`.
 * `main` is the script that Node was started with.
 */
export function resourceAttributes(
  serviceName: string | undefined,
  configured: Record<string, string>,
  main: string | undefined,
): Record<string, string | number> & { "service.name": string } {
  const manifest = main === undefined ? undefined : nearestManifest(dirname(main));
  const version = manifest?.version === undefined ? {} : { "service.version": manifest.version };
  return {
    "host.name": hostname(),
    "process.pid": process.pid,
    "process.runtime.name": "nodejs",
    "process.runtime.version": process.versions.node,
    "service.instance.id": randomUUID(),
    ...version,
    ...configured,
    "service.name": serviceName ?? manifest?.name?.replace(/^@[^/]+\//, "") ?? "unknown_service:node",
    "telemetry.sdk.name": "tocsin",
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.version": SDK_VERSION,
  };
}

function nearestManifest(folder: string): { name: string | undefined; version: string | undefined } | undefined {
  const text = readIfThere(join(folder, "package.json"));
  if (text === undefined) return folder === dirname(folder) ? undefined : nearestManifest(dirname(folder));
  let manifest: unknown;
  try {
    manifest = JSON.parse(text);
  } catch {
    return undefined; // Node itself will complain about it, if it matters.
  }
  const field = (key: "name" | "version"): string | undefined => {
    const value: unknown = (manifest as Record<string, unknown> | null)?.[key];
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  return { name: field("name"), version: field("version") };
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined; // Not in this folder; the search goes on above.
  }
}
