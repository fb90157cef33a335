import type { FastifyBaseLogger } from "fastify";
import type { Registry } from "./registry.ts";

/** Where the instances of another service are. */
export interface Endpoints {
  /** Base URL of the instance whose turn it is; undefined when none is known. */
  next(): string | undefined;
}

/** A fixed list, in turn. */
export function staticEndpoints(...urls: string[]): Endpoints {
  return new Rotation(urls);
}

class Rotation implements Endpoints {
  urls: readonly string[];
  #turn = 0;

  constructor(urls: readonly string[]) {
    this.urls = urls;
  }

  next(): string | undefined {
    const url = this.urls[this.#turn % this.urls.length];
    this.#turn = (this.#turn + 1) % Math.max(1, this.urls.length);
    return url;
  }
}

export interface RegistryEndpointsOptions {
  registry: Registry;
  service: string;
  log: FastifyBaseLogger;
  /** Called at every attempt to read the list that fails. */
  onFailure: () => void;
  /** Milliseconds between two reads. */
  refreshMs?: number;
}

/** The instances that a registry knows, in turn. While the registry is away the last known list stays. */
export class RegistryEndpoints implements Endpoints {
  readonly #options: RegistryEndpointsOptions;
  readonly #rotation = new Rotation([]);
  readonly #timer: NodeJS.Timeout;
  #reading: Promise<void> | undefined;
  #away = false;

  constructor(options: RegistryEndpointsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.refresh(), options.refreshMs ?? 2000);
    this.#timer.unref();
  }

  next(): string | undefined {
    return this.#rotation.next();
  }

  /** Reads the list now; does not reject. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #read(): Promise<void> {
    const { registry, service, log, onFailure } = this.#options;
    try {
      this.#rotation.urls = (await registry.addresses(service)).map((address) => `http://${address}`);
      if (this.#away) log.info({ service }, "registry can be reached again");
      this.#away = false;
    } catch (err) {
      onFailure();
      if (!this.#away) log.warn({ err, service }, "registry is away, the last known instances stay");
      this.#away = true;
    }
  }
}
