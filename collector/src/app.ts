import type { BusProducer } from "@tocsin/bus";
import { startAll, stopAll, type Component } from "@tocsin/platform";
import type { z } from "zod";
import { Accounts, type SignalAccount } from "./accounts.ts";
import type { Consumer, Exporter, ListenAddress, PartDeps, Processor, Receiver, ReceiverDeps } from "./component.ts";
import { exporters, processors, receivers } from "./components.ts";
import type { CollectorConfig } from "./config.ts";
import { Pipeline } from "./pipeline.ts";
import { PrometheusReceiver } from "./receivers/prometheus/receiver.ts";
import { RejectList, type Reject } from "./rejects.ts";

export interface CollectorDeps extends PartDeps {
  /** The collector's end of the bus. */
  producer: BusProducer;
  /** Where the OTLP receivers bind unless their configuration says otherwise; port 0 takes any free one. */
  listen: { host: string; otlpHttpPort: number; otlpGrpcPort: number };
}

export interface Collector extends Component {
  /** Where the receivers listen, by name (`otlp_http`, `otlp_grpc`); only those that do, once started. */
  addresses(): Record<string, ListenAddress>;
  /** The scrape receiver; undefined when it is turned off. */
  readonly scrapes: PrometheusReceiver | undefined;
  /** Records by signal and fate. */
  accounts(): SignalAccount[];
  /** The newest requests that were refused for good, newest first. */
  rejects(): readonly Reject[];
}

/** Joins receivers, processors and exporters as the configuration says. Starting binds; nothing happens before. */
export function createCollector(config: CollectorConfig, deps: CollectorDeps): Collector {
  const accounts = new Accounts(deps.registry);
  const rejects = new RejectList();
  const pipeline = new Pipeline({
    accounts,
    rejects,
    logger: deps.logger.child({ component: "pipeline" }),
    now: () => deps.clock.now(),
    processors: config.processors.map((entry) => (next) => createProcessor(entry, deps, next)),
    ...createExporters(config.exporters, deps),
  });
  const parts = createReceivers(config.receivers, { ...deps, intake: pipeline });
  const components = [pipeline, together([...parts.values()])];
  const scrapes = [...parts.values()].find((part) => part instanceof PrometheusReceiver);
  return {
    name: "collector",
    scrapes,
    start: () => startAll(components),
    stop: () => stopAll(components),
    addresses() {
      const bound = [...parts].map(([name, part]) => [name, part.address()] as const);
      return Object.fromEntries(bound.filter((entry): entry is [string, ListenAddress] => entry[1] !== undefined));
    },
    accounts: () => accounts.list(),
    rejects: () => rejects.list(),
  };
}

/** Receivers as one: each has its drain timeout, and stopping should not take the sum of them. */
function together(parts: readonly Receiver[]): Component {
  return {
    name: "receivers",
    start: () => startAll(parts),
    async stop() {
      const results = await Promise.allSettled(parts.map((part) => part.stop()));
      const failed = results.find((result) => result.status === "rejected");
      if (failed) throw failed.reason;
    },
  };
}

/*
 * A factory and the configuration under its name belong together by construction of CollectorConfig; walking the list of
 * factories loses that, so each of the three walks says it again.
 */
interface AnyFactory<D extends unknown[], P> {
  readonly name: string;
  readonly config: z.ZodObject;
  create(config: unknown, ...deps: D): P;
}

function createReceivers(config: CollectorConfig["receivers"], deps: ReceiverDeps): Map<string, Receiver> {
  const parts = new Map<string, Receiver>();
  for (const factory of receivers as unknown as readonly AnyFactory<[ReceiverDeps], Receiver>[]) {
    const section = config[factory.name as keyof typeof config];
    if (section.enabled) parts.set(factory.name, factory.create(section, deps));
  }
  return parts;
}

function createProcessor(entry: CollectorConfig["processors"][number], deps: PartDeps, next: Consumer): Processor {
  const known = processors as unknown as readonly AnyFactory<[PartDeps, Consumer], Processor>[];
  const [name, section] = Object.entries(entry)[0] ?? [];
  const factory = known.find((factory) => factory.name === name);
  if (!factory) throw new Error(`there is no processor ${name}`);
  return factory.create(section, deps, next);
}

function createExporters(
  config: CollectorConfig["exporters"],
  deps: CollectorDeps,
): { main: Exporter; tees: Exporter[] } {
  const [main, ...others] = exporters as unknown as readonly AnyFactory<[CollectorDeps], Exporter>[];
  const named = others.filter(({ name }) => config[name as keyof typeof config] !== undefined);
  return {
    main: (main as AnyFactory<[CollectorDeps], Exporter>).create({}, deps),
    tees: named.map((factory) => factory.create(config[factory.name as keyof typeof config], deps)),
  };
}
