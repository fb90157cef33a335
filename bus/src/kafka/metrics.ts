import { Counter, Gauge, Histogram, type Registry } from "@tocsin/platform";

export type KafkaBusMetrics = ReturnType<typeof createKafkaBusMetrics>;

/** The bus' own metrics. `topic` is the name without the prefix of the cluster. */
export function createKafkaBusMetrics(registry: Registry, now: { inFlightBytes(): number; spoolBytes(): number }) {
  const registers = [registry];
  new Gauge({
    name: "tocsin_bus_in_flight_bytes",
    help: "Bytes of messages handed to the bus that neither Kafka nor the spool has yet.",
    registers,
    collect() {
      this.set(now.inFlightBytes());
    },
  });
  new Gauge({
    name: "tocsin_bus_spool_bytes",
    help: "Bytes of acknowledged messages that wait on the disk for Kafka.",
    registers,
    collect() {
      this.set(now.spoolBytes());
    },
  });
  return {
    sent: new Counter({
      name: "tocsin_bus_records_total",
      help: "Records that Kafka has acknowledged.",
      labelNames: ["topic"],
      registers,
    }),
    spooled: new Counter({
      name: "tocsin_bus_spooled_records_total",
      help: "Records that went to the spool because Kafka did not take them in time.",
      labelNames: ["topic"],
      registers,
    }),
    refused: new Counter({
      name: "tocsin_bus_refused_total",
      help: "Sends that were not taken, by reason; the sender was told to try again, or never to.",
      labelNames: ["topic", "reason"],
      registers,
    }),
    sendFailures: new Counter({
      name: "tocsin_bus_send_failures_total",
      help: "Batches that Kafka did not acknowledge; they are tried again.",
      labelNames: ["topic"],
      registers,
    }),
    sendSeconds: new Histogram({
      name: "tocsin_bus_send_seconds",
      help: "Time until Kafka has acknowledged a batch.",
      labelNames: ["topic"],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
      registers,
    }),
    consumed: new Counter({
      name: "tocsin_bus_consumed_records_total",
      help: "Records that a consumer has written or set aside.",
      labelNames: ["topic", "group"],
      registers,
    }),
    handlerErrors: new Counter({
      name: "tocsin_bus_handler_errors_total",
      help: "Times a consumer failed on a message and was due to get it again.",
      labelNames: ["topic", "group"],
      registers,
    }),
    rebalances: new Counter({
      name: "tocsin_bus_rebalances_total",
      help: "Times the partitions of this member of a consumer group were set anew.",
      labelNames: ["topic", "group"],
      registers,
    }),
    consumerRestarts: new Counter({
      name: "tocsin_bus_consumer_restarts_total",
      help: "Times a consumer had to connect afresh.",
      labelNames: ["topic", "group"],
      registers,
    }),
    deadLetters: new Counter({
      name: "tocsin_bus_dead_letters_total",
      help: "Messages that a consumer could not decode or store and set aside.",
      labelNames: ["topic", "group"],
      registers,
    }),
    lag: new Gauge({
      name: "tocsin_bus_lag_records",
      help: "Kafka records (messages) of a topic that a consumer group has not yet committed.",
      labelNames: ["topic", "group"],
      registers,
    }),
    expired: new Counter({
      name: "tocsin_bus_expired_records_total",
      help: "Kafka records that retention removed before the consumer group had read them.",
      labelNames: ["topic", "group"],
      registers,
    }),
  };
}
