import { monitorEventLoopDelay } from "node:perf_hooks";
import { createKafkaBus, KafkaBusConfig, type BusMessage } from "@tocsin/bus";
import { CollectorConfig, createCollector } from "@tocsin/collector";
import { createLogger, Registry, systemClock } from "@tocsin/platform";
import { loadDriver } from "../../bus/src/kafka/driver.ts";
import type { Cost, Order, WorkerSetup } from "./protocol.ts";

/*
 * One process whose CPU time is measured: a collector in front of Kafka, a bare producer with the same library, or a
 * consumer. Its parent tells it what to do and asks what it cost.
 */
const setup = JSON.parse(process.argv[2] ?? "") as WorkerSetup;
const config = KafkaBusConfig.parse(setup.config);
const logger = createLogger({ level: "error" });
const loop = monitorEventLoopDelay({ resolution: 5 });
let cpu = process.cpuUsage();

const bus = createKafkaBus(config, { clock: systemClock, logger, registry: new Registry(), dataDir: setup.dataDir });

function begin(): void {
  loop.reset();
  loop.enable();
  cpu = process.cpuUsage();
}

function cost(): Cost {
  const { user, system } = process.cpuUsage(cpu);
  return {
    cpuS: (user + system) / 1e6,
    rssMb: process.memoryUsage.rss() / 2 ** 20,
    loopP99Ms: loop.percentile(99) / 1e6,
  };
}

const roles = {
  async collector() {
    await bus.start();
    const collector = createCollector(CollectorConfig.parse({ receivers: { prometheus: { enabled: false } } }), {
      clock: systemClock,
      logger,
      registry: new Registry(),
      producer: bus,
      listen: { host: "127.0.0.1", otlpHttpPort: 0, otlpGrpcPort: 0 },
    });
    await collector.start();
    return collector.addresses()["otlp_http"]?.port ?? 0;
  },
  /** Sends what it is told to with the library alone, as many messages in one call as the collector has in flight. */
  async bare() {
    const driver = await loadDriver(config.producer, config, { clock: systemClock, logger });
    const producer = await driver.createProducer();
    orders.produce = async ({ values, count, atOnce }) => {
      const bodies = values.map((value) => Buffer.from(value, "base64"));
      begin();
      for (let sent = 0; sent < count; sent += atOnce) {
        const records = Array.from({ length: Math.min(atOnce, count - sent) }, (_, i) => ({
          key: "bench",
          value: bodies[(sent + i) % bodies.length] as Buffer,
          headers: { "tocsin-records": "1" },
        }));
        await producer.send(`${config.topic_prefix}otlp_logs`, records);
      }
      return cost();
    };
    return 0;
  },
  async consumer() {
    orders.consume = async ({ messages }) => {
      const done = Promise.withResolvers<void>();
      let seen = 0;
      bus.subscribe("otlp_logs", "bench", async (_message: BusMessage) => {
        if (seen === 0) begin();
        if (++seen === messages) done.resolve();
        return { status: "ok" };
      });
      await bus.start();
      await done.promise;
      return cost();
    };
    return 0;
  },
};

type Orders = { [K in Order["kind"]]?: (order: Extract<Order, { kind: K }>) => Promise<Cost> };
const orders: Orders = {
  begin: async () => (begin(), cost()),
  cost: async () => cost(),
};

process.on("message", (order: Order) => {
  const handle = orders[order.kind] as ((order: Order) => Promise<Cost>) | undefined;
  if (!handle) throw new Error(`a ${setup.role} does not know ${order.kind}`);
  void handle(order).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit());

process.send?.({ port: await roles[setup.role]() });
