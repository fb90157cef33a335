import type { ServerResponse } from "node:http";
import { SmallServer } from "./discovery.ts";

interface Waiting {
  index: number;
  release: () => void;
}

export interface Instance {
  id: string;
  address?: string;
  port: number;
  tags?: string[];
  meta?: Record<string, string>;
  status?: string;
}

/** What discovery asks of a Consul agent, answered as its HTTP API is documented, blocking queries too. */
export class ConsulAgent {
  readonly http = new SmallServer((request, response) => this.#answer(request.url ?? "", response));
  index = 10;
  readonly #services = new Map<string, Instance[]>();
  readonly #waiting = new Set<Waiting>();

  /** Replaces the instances of a service; none at all takes its name out of the catalog. */
  set(service: string, ...instances: Instance[]): void {
    if (instances.length > 0) this.#services.set(service, instances);
    else this.#services.delete(service);
    this.index += 1;
    this.releaseAll();
  }

  releaseAll(): void {
    for (const waiting of this.#waiting) waiting.release();
  }

  /** Blocking queries that are held now. */
  get held(): number {
    return this.#waiting.size;
  }

  #answer(path: string, response: ServerResponse): void {
    const url = new URL(path, "http://agent");
    const asked = Number(url.searchParams.get("index") ?? "0");
    const send = () =>
      response
        .setHeader("content-type", "application/json")
        .setHeader("x-consul-index", String(this.index))
        .end(JSON.stringify(this.#body(url)));
    if (asked < this.index) return void send();
    const waiting: Waiting = {
      index: asked,
      release: () => {
        this.#waiting.delete(waiting);
        send();
      },
    };
    this.#waiting.add(waiting);
    response.on("close", () => this.#waiting.delete(waiting));
  }

  #body(url: URL): unknown {
    if (url.pathname === "/v1/catalog/services") {
      const tags = (instances: Instance[]) => [...new Set(instances.flatMap((instance) => instance.tags ?? []))];
      return Object.fromEntries([...this.#services].map(([name, instances]) => [name, tags(instances)]));
    }
    const service = decodeURIComponent(url.pathname.slice("/v1/health/service/".length));
    const wanted = url.searchParams.getAll("tag");
    return (this.#services.get(service) ?? [])
      .filter((instance) => wanted.every((tag) => instance.tags?.includes(tag)))
      .map((instance) => ({
        Node: { Node: "node1", Address: "10.0.0.250", Datacenter: "dc1", Meta: { "rack-no": "7" } },
        Service: {
          ID: instance.id,
          Service: service,
          Address: instance.address ?? "",
          Port: instance.port,
          Tags: instance.tags ?? null,
          Meta: instance.meta ?? null,
        },
        Checks: [
          { CheckID: "serfHealth", Status: "passing" },
          { CheckID: `service:${instance.id}`, Status: instance.status ?? "passing" },
        ],
      }));
  }
}
