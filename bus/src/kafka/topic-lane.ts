import { backoffMs, errorMessage, sleep, type BackoffOptions, type Clock, type Logger } from "@tocsin/platform";
import type { SendResult } from "../bus.ts";
import { UnacceptableError, type ProducerDriver } from "./driver.ts";
import type { Outgoing } from "./message.ts";
import type { KafkaBusMetrics } from "./metrics.ts";
import { fromEntry, toEntry } from "./spool-entry.ts";
import type { Spool } from "./spool.ts";

/** Bytes in flight of all lanes. */
export interface InFlight {
  readonly maxBytes: number;
  bytes: number;
}

export interface TopicLaneOptions {
  /** In metrics and logs. */
  topic: string;
  /** In Kafka. */
  kafkaTopic: string;
  spool: Spool;
  inFlight: InFlight;
  /** A connected producer; topics exist when it resolves. */
  connect: () => Promise<ProducerDriver>;
  maxBatchBytes: number;
  sendTimeoutMs: number;
  clock: Clock;
  logger: Logger;
  metrics: KafkaBusMetrics;
  random: () => number;
  /** Takes what Kafka will never take although it was acknowledged, out of the spool. */
  onUnacceptable(outgoing: Outgoing, reason: string): void;
}

interface Waiting {
  outgoing: Outgoing;
  since: number;
  settle: (result: SendResult) => void;
}

const RETRY: BackoffOptions = { initialMs: 100, maxMs: 2000, factor: 2, jitter: 0.5 };
const RETRY_AFTER_MS = 2000;
const RECORD_OVERHEAD_BYTES = 100;
/** Small messages cost the libraries time by their number. */
const MAX_BATCH_RECORDS = 1000;
/** Nobody waits for what is in the spool, and what is given up too early is sent twice. */
const DRAIN_TIMEOUT_MS = 30_000;

/**
 * The way of one topic's messages to Kafka, in order: one batch at a time, and whatever comes meanwhile is the next one. When
 * Kafka does not take a batch within the send timeout, it and everything after it goes to the spool, from which it is sent
 * when Kafka is back. While the last of it is sent, new messages wait for their turn; then they go straight again.
 *
 * A producer whose send has failed is closed: the broker may have the batch, and the library would give its sequence
 * numbers to the next one, which the broker would then acknowledge as a duplicate without storing it.
 */
export class TopicLane {
  readonly #options: TopicLaneOptions;
  #mode: "direct" | "spool" | "handover" = "direct";
  #waiting: Waiting[] = [];
  #pumping: Promise<void> | undefined;
  #draining: Promise<void> | undefined;
  #driver: ProducerDriver | undefined;
  readonly #closings = new Set<Promise<void>>();
  readonly #stop = new AbortController();
  #failing = false;

  constructor(options: TopicLaneOptions) {
    this.#options = options;
  }

  /** Sends what an earlier process has left in the spool. */
  start(): void {
    if (!this.#options.spool.isEmpty) this.#toSpoolMode();
  }

  /** Resolves when the message is durable, in Kafka or in the spool, or when it was refused. */
  send(outgoing: Outgoing): Promise<SendResult> {
    const { inFlight, clock } = this.#options;
    const bytes = outgoing.record.value.length;
    if (this.#stop.signal.aborted) return Promise.resolve(this.#refuse("stopping", "the bus is stopping"));
    if (inFlight.bytes + bytes > inFlight.maxBytes) {
      return Promise.resolve(this.#refuse("full", `${inFlight.bytes} bytes wait for Kafka already`));
    }
    inFlight.bytes += bytes;
    if (this.#mode === "spool") {
      return this.#toSpool(outgoing).finally(() => {
        inFlight.bytes -= bytes;
      });
    }
    return new Promise((resolve) => {
      const settle = (result: SendResult) => {
        inFlight.bytes -= bytes;
        resolve(result);
      };
      this.#waiting.push({ outgoing, since: clock.now(), settle });
      this.#pump();
    });
  }

  /** Sends or spools what waits, lets the spool be, and disconnects. */
  async stop(): Promise<void> {
    this.#stop.abort(new Error("the bus is stopping"));
    await this.#pumping;
    await this.#draining;
    await this.#spoolWaiting();
    this.#discardDriver();
    await Promise.all(this.#closings);
    await this.#options.spool.close();
  }

  #pump(): void {
    if (this.#mode !== "direct") return;
    this.#pumping ??= this.#sendWaiting().finally(() => {
      this.#pumping = undefined;
      if (this.#waiting.length > 0 && !this.#stop.signal.aborted) this.#pump();
    });
  }

  async #sendWaiting(): Promise<void> {
    // Lets the messages of one tick share a batch.
    await Promise.resolve();
    while (this.#waiting.length > 0 && this.#mode === "direct") {
      const batch = this.#takeBatch();
      const deadline = (batch[0]?.since ?? 0) + this.#options.sendTimeoutMs;
      const sent = await this.#sendUntil(batch, deadline);
      if (sent) continue;
      this.#waiting.unshift(...batch);
      this.#toSpoolMode();
      await this.#spoolWaiting();
    }
  }

  /** Tries until the deadline, at least once; settles what was sent or will never be. False when Kafka does not take it. */
  async #sendUntil(batch: readonly Waiting[], deadline: number): Promise<boolean> {
    const { clock, random, metrics, topic } = this.#options;
    for (let attempt = 1; ; attempt++) {
      const patienceMs = Math.max(deadline - clock.now(), 100);
      try {
        await this.#attempt(
          batch.map(({ outgoing }) => outgoing),
          patienceMs,
        );
        for (const { settle } of batch) settle({ status: "ok" });
        return true;
      } catch (error) {
        if (error instanceof UnacceptableError) {
          await this.#sendOneByOne(batch, error, deadline);
          return true;
        }
        metrics.sendFailures.inc({ topic });
        this.#failed(error);
        const pauseMs = backoffMs(RETRY, attempt, random);
        if (this.#stop.signal.aborted || clock.now() + pauseMs >= deadline) return false;
        await sleep(clock, pauseMs, this.#stop.signal).catch(() => {});
      }
    }
  }

  /** Finds the message that the broker does not take; the others go on. */
  async #sendOneByOne(batch: readonly Waiting[], refusal: UnacceptableError, deadline: number): Promise<void> {
    const [first, ...others] = batch;
    if (!first) return;
    if (others.length === 0) {
      this.#options.metrics.refused.inc({ topic: this.#options.topic, reason: "unacceptable" });
      first.settle({ status: "permanent", error: refusal.message });
      return;
    }
    for (const [i, waiting] of batch.entries()) {
      if (await this.#sendUntil([waiting], deadline)) continue;
      this.#waiting.unshift(...batch.slice(i));
      this.#toSpoolMode();
      await this.#spoolWaiting();
      return;
    }
  }

  /** One try with a limit; the producer is given up when it fails. */
  async #attempt(outgoing: readonly Outgoing[], patienceMs: number, signal?: AbortSignal): Promise<void> {
    const { clock, connect, kafkaTopic, metrics, topic } = this.#options;
    const startMs = clock.now();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const tooLate = new Error(`Kafka has not answered within ${Math.round(patienceMs)} ms`);
    let givenUp = false;
    using _ = clock.schedule(patienceMs, () => reject(tooLate));
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const send = async () => {
      if (!this.#driver) {
        const driver = await connect();
        // Connected too late: the batch is somebody else's business by now.
        if (givenUp) return driver.close();
        this.#driver = driver;
      }
      await this.#driver.send(
        kafkaTopic,
        outgoing.map(({ record }) => record),
      );
    };
    try {
      await Promise.race([send(), late]);
    } catch (error) {
      givenUp = true;
      this.#discardDriver();
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
    metrics.sendSeconds.observe({ topic }, (clock.now() - startMs) / 1000);
    metrics.sent.inc(
      { topic },
      outgoing.reduce((sum, { records }) => sum + records, 0),
    );
    this.#recovered();
  }

  #toSpoolMode(): void {
    this.#mode = "spool";
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
      if (this.#mode === "direct") this.#pump();
    });
  }

  /** Appends in the order in which they came; each is answered by itself. */
  async #spoolWaiting(): Promise<void> {
    const waiting = this.#waiting.splice(0);
    await Promise.all(waiting.map(async ({ outgoing, settle }) => settle(await this.#toSpool(outgoing))));
  }

  async #toSpool(outgoing: Outgoing): Promise<SendResult> {
    const { spool, metrics, topic, logger } = this.#options;
    try {
      if (!(await spool.append(toEntry(outgoing))))
        return this.#refuse("spool_full", "Kafka is away and the spool is full");
    } catch (err) {
      logger.error({ err, topic }, "spool cannot be written");
      return this.#refuse("spool_error", `Kafka is away and the spool cannot be written: ${errorMessage(err)}`);
    }
    metrics.spooled.inc({ topic }, outgoing.records);
    return { status: "ok" };
  }

  /** Sends the spool's entries in order until there are none. Runs as long as the lane is not in direct mode. */
  async #drain(): Promise<void> {
    const { spool, maxBatchBytes, clock, random, metrics, topic } = this.#options;
    for (let failures = 0; !this.#stop.signal.aborted;) {
      const chunk = await spool.read(maxBatchBytes, MAX_BATCH_RECORDS);
      if (!chunk) {
        if (!spool.isEmpty) continue;
        this.#mode = "direct";
        return;
      }
      try {
        await this.#attemptSpooled(chunk.entries.map(fromEntry));
        await spool.advance(chunk.next);
        failures = 0;
        if (spool.bytes <= maxBatchBytes) this.#mode = "handover";
      } catch (error) {
        metrics.sendFailures.inc({ topic });
        this.#failed(error);
        this.#mode = "spool";
        await this.#spoolWaiting();
        await sleep(clock, backoffMs(RETRY, ++failures, random), this.#stop.signal).catch(() => {});
      }
    }
  }

  async #attemptSpooled(outgoing: readonly Outgoing[]): Promise<void> {
    try {
      await this.#attempt(outgoing, DRAIN_TIMEOUT_MS, this.#stop.signal);
    } catch (error) {
      if (!(error instanceof UnacceptableError)) throw error;
      const [only, ...others] = outgoing;
      if (only && others.length === 0) return this.#options.onUnacceptable(only, error.message);
      for (const one of outgoing) await this.#attemptSpooled([one]);
    }
  }

  #takeBatch(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { outgoing } of this.#waiting) {
      bytes += outgoing.record.value.length + RECORD_OVERHEAD_BYTES;
      if (count > 0 && (bytes > this.#options.maxBatchBytes || count === MAX_BATCH_RECORDS)) break;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  #discardDriver(): void {
    const driver = this.#driver;
    this.#driver = undefined;
    if (!driver) return;
    const closing = driver
      .close()
      .catch((err: unknown) => this.#options.logger.debug({ err }, "producer did not close"))
      .finally(() => this.#closings.delete(closing));
    this.#closings.add(closing);
  }

  #refuse(reason: string, error: string): SendResult {
    this.#options.metrics.refused.inc({ topic: this.#options.topic, reason });
    return { status: "retry", afterMs: RETRY_AFTER_MS, error };
  }

  /** Logs the change only. */
  #failed(err: unknown): void {
    if (!this.#failing) this.#options.logger.warn({ err, topic: this.#options.topic }, "kafka does not take messages");
    this.#failing = true;
  }

  #recovered(): void {
    if (this.#failing) this.#options.logger.info({ topic: this.#options.topic }, "kafka takes messages again");
    this.#failing = false;
  }
}
