import { parseRequest } from "@tocsin/platform";
import type { FastifyInstance } from "fastify";
import { z } from "zod";
import type { Collector } from "./app.ts";

const Query = z.object({ job: z.union([z.string(), z.array(z.string())]).optional() });

/** How often is for the one who scrapes to say. */
const OWN = new Set(["__address__", "__scrape_interval__", "__scrape_timeout__"]);

/**
 * `GET /api/tocsin/v1/discovery/targets?job=…`: what the scraper has found, as Prometheus' `http_sd_configs` reads it, so
 * that a Prometheus beside it finds the same services. All jobs unless some are named.
 */
export function discoveryApi(app: FastifyInstance, { scrapes }: Pick<Collector, "scrapes">): void {
  app.get("/api/tocsin/v1/discovery/targets", async (request) => {
    const { job } = parseRequest(Query, request.query);
    const wanted = job === undefined ? undefined : new Set([job].flat());
    const active = scrapes?.targets().active ?? [];
    return active
      .filter(({ scrapePool }) => wanted?.has(scrapePool) ?? true)
      .map(({ discoveredLabels, labels }) => ({
        targets: [discoveredLabels["__address__"] ?? ""],
        labels: {
          ...Object.fromEntries(Object.entries(discoveredLabels).filter(([name]) => !OWN.has(name))),
          ...labels,
        },
      }));
  });
}
