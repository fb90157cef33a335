import type { FastifyInstance, FastifyReply } from "fastify";
import { Gauge, type Registry } from "@tocsin/platform";
import { EVENT_NAMES } from "@tocsin/model";

type EventName = (typeof EVENT_NAMES)[number];

const MAX_SUBSCRIBERS = 200;
/** A reader this far behind is cut off; its EventSource comes back by itself. */
const MAX_BUFFERED_BYTES = 1024 * 1024;

/** Sends what changes to everybody who listens at `GET /api/tocsin/v1/events` (server-sent events). */
export interface EventHub {
  publish(event: EventName, data: unknown): void;
  close(): void;
}

export function createEventHub(app: FastifyInstance, registry: Registry): EventHub {
  const readers = new Set<FastifyReply>();
  const gauge = new Gauge({
    name: "tocsin_event_subscribers",
    help: "Browsers and clients listening for events.",
    registers: [registry],
  });
  app.get("/api/tocsin/v1/events", (request, reply) => {
    if (readers.size >= MAX_SUBSCRIBERS) {
      return reply
        .code(503)
        .header("retry-after", "5")
        .send({ type: "about:blank", title: "Service Unavailable", status: 503 });
    }
    reply.hijack();
    reply.raw.writeHead(200, {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      "x-accel-buffering": "no",
    });
    reply.raw.write("retry: 1000\n\n");
    readers.add(reply);
    gauge.set(readers.size);
    request.raw.on("close", () => {
      readers.delete(reply);
      gauge.set(readers.size);
    });
  });
  return {
    publish(event, data) {
      const frame = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
      for (const reply of readers) {
        if (reply.raw.writableLength > MAX_BUFFERED_BYTES) reply.raw.destroy();
        else reply.raw.write(frame);
      }
    },
    close() {
      for (const reply of readers) reply.raw.end();
      readers.clear();
    },
  };
}
