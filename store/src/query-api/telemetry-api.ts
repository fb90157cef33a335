import type { FastifyInstance } from "fastify";
import type { Clock } from "@tocsin/platform";
import type { TelemetryStore } from "../telemetry-store.ts";
import { registerLogRoutes } from "./log-routes.ts";
import { registerServiceRoutes } from "./service-routes.ts";
import { registerTraceRoutes } from "./trace-routes.ts";

export interface TelemetryApiOptions {
  store: TelemetryStore;
  clock: Clock;
  /** `silent_after` of the configuration, milliseconds. */
  silentAfterMs?: number;
}

const SILENT_AFTER_MS = 90_000;

/** Logs, traces and services under `/api/tocsin/v1`. A Fastify plugin; register it without a prefix. */
export async function telemetryApi(
  app: FastifyInstance,
  { store, clock, silentAfterMs }: TelemetryApiOptions,
): Promise<void> {
  registerLogRoutes(app, { store, clock });
  registerTraceRoutes(app, { store, clock });
  registerServiceRoutes(app, { store, clock, silentAfterMs: silentAfterMs ?? SILENT_AFTER_MS });
}
