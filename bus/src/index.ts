export * from "./bus.ts";
export {
  createDeadLetters,
  type DeadLetterHead,
  type DeadLetters,
  type DeadLetterSink,
  type DeadLettersOptions,
} from "./dead-letters.ts";
export { createMemoryBus, type MemoryBus, type MemoryBusOptions } from "./memory-bus.ts";
export { BusConfig, KafkaBusConfig } from "./kafka/config.ts";
export { createKafkaBus, type KafkaBus, type KafkaBusDeps, type Lag } from "./kafka/kafka-bus.ts";
