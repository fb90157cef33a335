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
    const [services, { rows, searchedToMs }] = await Promise.all([
      store.services(),
      store.traces.red({ ...range, steps: SPARKLINE_STEPS, by: "service" }, gone),
    ]);
    const items = services
      .filter((service) => isHeardIn(service, range))
      .map((service) => summarize(service, ofService(rows, service.name), range));
    return { items, ...searchedTo(searchedToMs) };
  });

  app.get("/api/tocsin/v1/services/graph", async (request, reply): Promise<ServiceGraph> => {
    const { from: fromMs, to: toMs } = parseRequest(RangeQuery, request.query);
    const gone = clientGone(reply);
    const range = { fromMs, toMs };
    const [services, { rows }, { edges, searchedToMs }] = await Promise.all([
      store.services(),
      store.traces.red({ ...range, steps: 1, by: "service" }, gone),
      store.traces.edges(range, gone),
    ]);
    const names = services.filter((service) => isHeardIn(service, range)).map(({ name }) => name);
    const covered = { fromMs: Math.max(fromMs, searchedToMs ?? fromMs), toMs };
    return { ...serviceGraph(names, { rows, range }, { edges, range: covered }), ...searchedTo(searchedToMs) };
  });

  app.get("/api/tocsin/v1/services/:name", async (request, reply): Promise<ServiceDetail> => {
    const { name } = parseRequest(Params, request.params);
    const { from: fromMs, to: toMs } = parseRequest(RangeQuery, request.query);
    const gone = clientGone(reply);
    const range = { fromMs, toMs };
    const service = (await store.services()).find((row) => row.name === name);
    if (!service) throw new TocsinError("TOCSIN_NOT_FOUND", `no service ${JSON.stringify(name)} was heard of`);
    const [coarse, fine, byOperation] = await Promise.all([
      store.traces.red({ ...range, steps: SPARKLINE_STEPS, by: "service", service: name }, gone),
      store.traces.red({ ...range, steps: DETAIL_STEPS, by: "service", service: name }, gone),
      store.traces.red({ ...range, steps: 1, by: "operation", service: name }, gone),
    ]);
    const [steps] = fine.rows;
    return {
      ...summarize(service, coarse.rows[0], range),
      red: steps ? redPoints(steps.steps, range) : [],
      operations: byOperation.rows
        .map((row) => ({ name: row.operation, ...redSummary(row, range) }))
        .sort((a, b) => b.rate - a.rate || (a.name < b.name ? -1 : 1)),
      ...searchedTo(fine.searchedToMs),
    };
  });
}

const isHeardIn = ({ firstMs, lastMs }: ServiceRow, { fromMs, toMs }: TimeRange): boolean =>
  firstMs < toMs && lastMs >= fromMs;
const ofService = (rows: readonly RedRow[], name: string): RedRow | undefined =>
  rows.find(({ service }) => service === name);
const searchedTo = (ms: number | undefined): { searchedTo?: string } =>
  ms === undefined ? {} : { searchedTo: rfc3339(ms) };
