import type { FastifyInstance, FastifyRequest } from "fastify";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

/** One way to break a service on purpose. */
export interface FaultDefinition {
  description: string;
  /** The numbers that shape it, with their defaults: `{ ms: 1500 }`. */
  params?: Record<string, number>;
}

interface Fault {
  name: string;
  description: string;
  active: boolean;
  params: Record<string, number>;
}

const Change = z.strictObject({
  active: z.boolean(),
  params: z.record(z.string(), z.number().min(0).max(600_000)).optional(),
});

/** The faults that any HTTP service can have. */
export const httpFaults = {
  latency: { description: "Answers late, for a share of the requests", params: { ms: 1500, ratio: 1 } },
  error_rate: { description: "Answers 500 to a share of the requests", params: { ratio: 0.5 } },
  crash: { description: "Ends the process with an uncaught exception" },
} as const satisfies Record<string, FaultDefinition>;

/** The faults of one service and which of them are on. */
export class FaultPanel<Name extends string = string> {
  readonly #faults = new Map<string, Fault>();

  constructor(definitions: Record<Name, FaultDefinition>) {
    for (const [name, { description, params }] of Object.entries<FaultDefinition>(definitions)) {
      this.#faults.set(name, { name, description, active: false, params: { ...params } });
    }
  }

  items(): Fault[] {
    return [...this.#faults.values()].map((fault) => ({ ...fault, params: { ...fault.params } }));
  }

  /** The fault's parameters while it is on. */
  active(name: Name): Readonly<Record<string, number>> | undefined {
    const fault = this.#faults.get(name);
    return fault?.active === true ? fault.params : undefined;
  }

  /** Whether the fault is on and this request is in its share (`ratio`, 1 where the fault has none). */
  strikes(name: Name, random: () => number): boolean {
    const params = this.active(name);
    return params !== undefined && random() < (params["ratio"] ?? 1);
  }

  /** Switches a fault; parameters not given keep their values. Returns what it is now, or why not. */
  set(
    name: string,
    active: boolean,
    params: Record<string, number> = {},
  ): Fault | "unknown fault" | "unknown parameter" {
    const fault = this.#faults.get(name);
    if (fault === undefined) return "unknown fault";
    if (Object.keys(params).some((key) => !(key in fault.params))) return "unknown parameter";
    fault.active = active;
    Object.assign(fault.params, params);
    return { ...fault, params: { ...fault.params } };
  }
}

const LOOPBACK_NAMES = new Set(["localhost", "127.0.0.1", "::1", "[::1]"]);

/** `GET /faults` and `PUT /faults/:name`, kept out of the service's own telemetry. */
export function faultRoutes(app: FastifyInstance, panel: FaultPanel): void {
  const config = { otel: false };
  // A page on another site may resolve its own name to 127.0.0.1; its Host header gives it away.
  const onRequest = async (request: FastifyRequest) => {
    if (!LOOPBACK_NAMES.has(request.hostname)) {
      throw Object.assign(new Error("the fault panel answers on loopback only"), { statusCode: 403 });
    }
  };
  app.get("/faults", { config, onRequest }, async () => ({ items: panel.items() }));
  app.put<{ Params: { name: string } }>("/faults/:name", { config, onRequest }, async (request, reply) => {
    const change = Change.parse(request.body);
    const { name } = request.params;
    const fault = panel.set(name, change.active, change.params);
    if (typeof fault === "string") return reply.code(404).send({ statusCode: 404, error: "Not Found", message: fault });
    request.log.warn({ fault: name, active: fault.active, params: fault.params }, "fault switched");
    if (name === "crash" && fault.active) reply.raw.once("close", crash);
    return fault;
  });
}

function crash(): void {
  setImmediate(() => {
    throw new Error("crashed on purpose: the crash fault was switched on");
  });
}

/** Applies `latency` and `error_rate` to every route that is not the panel's or the health check. */
export function applyHttpFaults(
  app: FastifyInstance,
  panel: FaultPanel,
  random: () => number,
  apply: { latency: boolean },
): void {
  app.addHook("onRequest", async (request) => {
    if (request.routeOptions.config.otel === false || request.is404) return;
    if (apply.latency && panel.strikes("latency", random)) await sleep(panel.active("latency")?.["ms"]);
    if (panel.strikes("error_rate", random)) throw new Error("injected failure: the error_rate fault is on");
  });
}
