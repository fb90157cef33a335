import { z } from "zod";
import type { Fetch, Instance, Registry, RegistryUrl } from "./registry.ts";
import { ask } from "./request.ts";

const Healthy = z.array(
  z.object({
    Node: z.object({ Address: z.string() }),
    Service: z.object({ Address: z.string().default(""), Port: z.int() }),
  }),
);

/** A service of the Consul agent beside the process, with a health check that the agent makes over HTTP. */
export class ConsulRegistry implements Registry {
  readonly #server: string;
  readonly #headers: Record<string, string>;
  readonly #request: Fetch;

  constructor({ servers, password }: RegistryUrl, request: Fetch) {
    this.#server = servers[0] ?? "";
    this.#headers = password === undefined ? {} : { "x-consul-token": password };
    this.#request = request;
  }

  async announce(instance: Instance): Promise<void> {
    const { service, id, host, port } = instance;
    const known = await this.#ask("GET", `/v1/agent/service/${encodeURIComponent(id)}`, undefined, [404]);
    if (known.statusCode !== 404) return;
    await this.#ask("PUT", "/v1/agent/service/register", {
      ID: id,
      Name: service,
      Address: host,
      Port: port,
      Check: {
        Name: `${service} answers`,
        HTTP: `http://${host}:${port}/healthz`,
        Method: "GET",
        Interval: "5s",
        Timeout: "2s",
        DeregisterCriticalServiceAfter: "1m",
      },
    });
  }

  async withdraw({ id }: Instance): Promise<void> {
    await this.#ask("PUT", `/v1/agent/service/deregister/${encodeURIComponent(id)}`, undefined, [404]);
  }

  async addresses(service: string): Promise<string[]> {
    const { body } = await this.#ask("GET", `/v1/health/service/${encodeURIComponent(service)}?passing=true`);
    return Healthy.parse(body)
      .map(({ Node, Service }) => `${Service.Address || Node.Address}:${Service.Port}`)
      .sort();
  }

  #ask(method: string, path: string, body?: object, allowed: readonly number[] = []) {
    const init = { method, headers: this.#headers, ...(body && { body: JSON.stringify(body) }) };
    return ask(this.#request, this.#server + path, init, allowed);
  }
}
