import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { parseRequest } from "@tocsin/platform";
import type { DrillRunner } from "./drill-runner.ts";
import type { FaultPanel } from "./fault-panel.ts";

const FaultChange = z.strictObject({ active: z.boolean(), params: z.record(z.string(), z.number()).optional() });
const Name = z.object({ name: z.string() });

/** `faults` and `drills` of `/api/tocsin/v1`: there while the demo runs. */
export function demoApi(app: FastifyInstance, { faults, drills }: { faults: FaultPanel; drills: DrillRunner }): void {
  app.get("/api/tocsin/v1/faults", () => faults.list());
  app.put<{ Params: { service: string; name: string } }>(
    "/api/tocsin/v1/faults/:service/:name",
    async (request, reply) => {
      const { active, params } = parseRequest(FaultChange, request.body);
      await faults.set(request.params.service, request.params.name, active, params);
      return reply.code(204).send();
    },
  );
  app.get("/api/tocsin/v1/drills", () => drills.list());
  app.get("/api/tocsin/v1/drills/:name", (request) => drills.get(parseRequest(Name, request.params).name));
  app.post("/api/tocsin/v1/drills/:name", async (request, reply) =>
    reply.code(202).send(await drills.break(parseRequest(Name, request.params).name)),
  );
  app.delete("/api/tocsin/v1/drills/:name", (request) => drills.unbreak(parseRequest(Name, request.params).name));
}
