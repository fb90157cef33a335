import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Registry, systemClock, type Clock } from "@tocsin/platform";
import { silentLogger } from "@tocsin/testing";
import { Agent } from "undici";
import type { z } from "zod";
import type { TargetGroup } from "../receivers/prometheus/target-group.ts";
import { discoveryMetrics, type Discovery, type DiscoveryKind } from "../receivers/prometheus/discovery/discovery.ts";

export type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => unknown;

/** A small HTTP server that can go away and come back on the same port. */
export class SmallServer implements AsyncDisposable {
  readonly requests: { url: string; headers: IncomingMessage["headers"]; body: string }[] = [];
  handle: Handler;
  #server: ReturnType<typeof createServer> | undefined;
  #port = 0;

  constructor(handle: Handler) {
    this.handle = handle;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async start(): Promise<this> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const body = Buffer.concat(chunks).toString();
        this.requests.push({ url: request.url ?? "", headers: request.headers, body });
        this.handle(request, response, body);
      });
    });
    await new Promise<void>((resolve) => server.listen(this.#port, "127.0.0.1", resolve));
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    return this;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (!server) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

export interface RunningDiscovery extends AsyncDisposable {
  discovery: Discovery;
  registry: Registry;
  /** How often a list was handed on. */
  readonly updates: number;
  /** The newest list; undefined before the first. */
  readonly groups: readonly TargetGroup[] | undefined;
  /** Addresses of the newest list, sorted. */
  addresses(): string[] | undefined;
  /** A value of `tocsin_discovery_<name>`. */
  metric(name: string): Promise<number>;
}

/** Starts one discovery of a kind, configured as in a scrape config. */
export async function startDiscovery<C extends z.ZodObject>(
  kind: DiscoveryKind<string, C>,
  config: z.input<C>,
  clock: Clock = systemClock,
): Promise<RunningDiscovery> {
  const registry = new Registry();
  const dispatcher = new Agent();
  const lists: (readonly TargetGroup[])[] = [];
  const discovery = kind.create(kind.config.parse(config), {
    clock,
    logger: silentLogger,
    dispatcher,
    metrics: discoveryMetrics(registry),
    job: "shop",
    onChange: (groups) => lists.push(groups),
  });
  await discovery.start();
  return {
    discovery,
    registry,
    get updates() {
      return lists.length;
    },
    get groups() {
      return lists.at(-1);
    },
    addresses: () =>
      lists
        .at(-1)
        ?.flatMap(({ targets }) => targets)
        .sort(),
    async metric(name) {
      const metric = await registry.getSingleMetric(`tocsin_discovery_${name}`)?.get();
      return metric?.values[0]?.value ?? Number.NaN;
    },
    async [Symbol.asyncDispose]() {
      await discovery.stop();
      await dispatcher.destroy();
    },
  };
}
