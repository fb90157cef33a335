import type { FastifyInstance } from "fastify";
import type { ServiceDetail, ServiceGraph, ServiceList, ServiceSummary } from "@tocsin/model";
import { parseRequest, TocsinError, type Clock } from "@tocsin/platform";
import { z } from "zod";
import type { TimeRange } from "../log-store.ts";
import { serviceGraph } from "../services/graph.ts";
import { redPoints, redSummary, serviceState } from "../services/summary.ts";
import type { TelemetryStore } from "../telemetry-store.ts";
import type { RedRow, ServiceRow } from "../trace-store.ts";
import { clientGone } from "./client-gone.ts";
import { rfc3339 } from "./log-routes.ts";
import { isRange, rangeParameters, RANGE_MISTAKE } from "./parameters.ts";

const SPARKLINE_STEPS = 30;
const DETAIL_STEPS = 60;

export interface ServiceRouteOptions {
  store: TelemetryStore;
  clock: Clock;
  silentAfterMs: number;
}

/** `services`, `services/graph`, `services/:name`. */
export function registerServiceRoutes(
  app: FastifyInstance,
  { store, clock, silentAfterMs }: ServiceRouteOptions,
): void {
  const RangeQuery = z.object(rangeParameters(clock)).refine(isRange, RANGE_MISTAKE);
  const Params = z.object({ name: z.string().min(1) });

  const summarize = (service: ServiceRow, red: RedRow | undefined, range: TimeRange): ServiceSummary => {
    const stats = redSummary(red, range);
    return {
      name: service.name,
      version: service.version,
      ...stats,
      lastSeen: rfc3339(service.lastMs),
      state: serviceState(service, stats.errorRatio, clock.now(), silentAfterMs),
      sparkline: red
        ? redPoints(red.steps, range).map(({ rate }) => rate)
        : Array.from({ length: SPARKLINE_STEPS }, () => 0),
    };
  };

  app.get("/api/tocsin/v1/services", async (request, reply): Promise<ServiceList> => {
    const { from: fromMs, to: toMs } = parseRequest(RangeQuery, request.query);
    const gone = clientGone(reply);
    const range = { fromMs, toMs };
    const [services, red] = await Promise.all([
      store.services(gone),
      store.traces.red({ ...range, steps: SPARKLINE_STEPS, by: "service" }, gone),
    ]);
    const inRange = services.filter(({ firstMs, lastMs }) => firstMs < toMs && lastMs >= fromMs);
    return {
      items: inRange.map((service) =>
        summarize(
          service,
          red.find((row) => row.service === service.name),
          range,
        ),
      ),
    };
  });

  app.get("/api/tocsin/v1/services/graph", async (request, reply): Promise<ServiceGraph> => {
    const { from: fromMs, to: toMs } = parseRequest(RangeQuery, request.query);
    const gone = clientGone(reply);
    const range = { fromMs, toMs };
    const [services, red, edges] = await Promise.all([
      store.services(gone),
      store.traces.red({ ...range, steps: 1, by: "service" }, gone),
      store.traces.edges(range, gone),
    ]);
    const inRange = services.filter(({ firstMs, lastMs }) => firstMs < toMs && lastMs >= fromMs);
    return serviceGraph(
      inRange.map(({ name }) => name),
      red,
      edges,
      range,
    );
  });

  app.get("/api/tocsin/v1/services/:name", async (request, reply): Promise<ServiceDetail> => {
    const { name } = parseRequest(Params, request.params);
    const { from: fromMs, to: toMs } = parseRequest(RangeQuery, request.query);
    const gone = clientGone(reply);
    const range = { fromMs, toMs };
    const service = (await store.services(gone)).find((row) => row.name === name);
    if (!service) throw new TocsinError("TOCSIN_NOT_FOUND", `no service ${JSON.stringify(name)} was heard of`);
    const [[red], [fine], operations] = await Promise.all([
      store.traces.red({ ...range, steps: SPARKLINE_STEPS, by: "service", service: name }, gone),
      store.traces.red({ ...range, steps: DETAIL_STEPS, by: "service", service: name }, gone),
      store.traces.red({ ...range, steps: 1, by: "operation", service: name }, gone),
    ]);
    return {
      ...summarize(service, red, range),
      red: fine ? redPoints(fine.steps, range) : [],
      operations: operations
        .map((row) => ({ name: row.operation, ...redSummary(row, range) }))
        .sort((a, b) => b.rate - a.rate || (a.name < b.name ? -1 : 1)),
    };
  });
}
