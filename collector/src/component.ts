import type { BusProducer } from "@tocsin/bus";
import type { Clock, Component, Logger, Registry } from "@tocsin/platform";
import type { z } from "zod";
import type { Payload } from "./payload.ts";
import type { Reject } from "./rejects.ts";

/** What a part left out of a payload while the rest went on. */
export interface Dropped {
  records: number;
  /** For metrics: `incomplete_span`. */
  reason: string;
  /** For the sender: what was wrong and what to do. */
  message: string;
}

/** What became of a payload: held durably, perhaps not all of it; try again later; or never acceptable. */
export type Outcome =
  | { status: "ok"; dropped?: Dropped }
  | { status: "retry"; afterMs: number; error: string }
  | { status: "permanent"; error: string };

/** Takes payloads. The next part in the pipeline is one, and that is all a part knows of the pipeline. */
export interface Consumer {
  consume(payload: Payload): Promise<Outcome>;
}

/** The pipeline as receivers see it. */
export interface Intake {
  /** Hands a payload over; `source` names the receiver. `dropped` is what the receiver has left out of it already. */
  accept(payload: Payload, source: string, dropped?: Dropped): Promise<Outcome>;
  /** Notes a request that never became a payload. */
  reject(reject: Reject): void;
}

/** What every part gets. */
export interface PartDeps {
  clock: Clock;
  logger: Logger;
  registry: Registry;
}

export interface ReceiverDeps extends PartDeps {
  intake: Intake;
  /** Where listeners bind unless their configuration says otherwise. */
  listen: { host: string; otlpHttpPort: number; otlpGrpcPort: number };
}

export interface Receiver extends Component {
  /** Where it listens, once started; undefined for receivers that fetch. */
  address(): ListenAddress | undefined;
}

export interface ListenAddress {
  host: string;
  port: number;
}

export interface ReceiverFactory<N extends string, C extends z.ZodObject, R extends Receiver = Receiver> {
  /** The key in `receivers:`. */
  readonly name: N;
  readonly config: C;
  create(config: z.output<C>, deps: ReceiverDeps): R;
}

export type Processor = Consumer & Component;

export interface ProcessorFactory<N extends string, C extends z.ZodObject> {
  /** The key in an entry of `processors:`. */
  readonly name: N;
  readonly config: C;
  create(config: z.output<C>, deps: PartDeps, next: Consumer): Processor;
}

export interface ExporterDeps extends PartDeps {
  producer: BusProducer;
}

export type Exporter = Consumer & Component;

export interface ExporterFactory<N extends string, C extends z.ZodObject> {
  /** The key in `exporters:`. */
  readonly name: N;
  readonly config: C;
  create(config: z.output<C>, deps: ExporterDeps): Exporter;
}

export function defineReceiver<const N extends string, C extends z.ZodObject, R extends Receiver>(
  factory: ReceiverFactory<N, C, R>,
): ReceiverFactory<N, C, R> {
  return factory;
}

export function defineProcessor<const N extends string, C extends z.ZodObject>(
  factory: ProcessorFactory<N, C>,
): ProcessorFactory<N, C> {
  return factory;
}

export function defineExporter<const N extends string, C extends z.ZodObject>(
  factory: ExporterFactory<N, C>,
): ExporterFactory<N, C> {
  return factory;
}
