import { isIP } from "node:net";
import { TocsinError } from "@tocsin/platform";

/** Refuses an address that others can reach, unless the operator has said that something guards it. */
export function requireGuardedBind(host: string, allowed: boolean): void {
  if (isLoopback(host) || allowed) return;
  throw new TocsinError(
    "TOCSIN_BIND_UNSAFE",
    `binding ${host} would let anybody who can reach it read all telemetry and silence alerts; put something that asks for a password in front and say so with --allow-unauthenticated-bind`,
  );
}

function isLoopback(host: string): boolean {
  if (host === "localhost" || host === "::1") return true;
  return isIP(host) === 4 && host.startsWith("127.");
}
