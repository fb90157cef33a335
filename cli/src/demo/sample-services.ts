import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { backoffMs, Gauge, type Clock, type Component, type Logger, type Registry } from "@tocsin/platform";

export interface SampleSpec {
  name: string;
  /** Absolute path of the module to run. */
  module: string;
  env: Record<string, string>;
  /** Where it serves; left out for the load driver. */
  url?: string;
}

export interface SampleServicesOptions {
  specs: readonly SampleSpec[];
  /** Node flags, e.g. the preload of the SDK. */
  nodeArgs: readonly string[];
  cwd: string;
  clock: Clock;
  logger: Logger;
  registry: Registry;
}

const RESTART = { initialMs: 500, maxMs: 15_000, factor: 2, jitter: 0.2 };
const KILL_AFTER_MS = 3000;
/** A process that ran this long starts its back-off anew. */
const STEADY_MS = 30_000;

/** Runs each sample service as a process of its own, and starts again what falls over. */
export class SampleServices implements Component {
  readonly name = "sample-services";
  readonly #options: SampleServicesOptions;
  readonly #running = new Map<string, ChildProcess>();
  readonly #held = new Set<string>();
  readonly #failures = new Map<string, number>();
  readonly #up: Gauge<"service">;
  #stopping = false;

  constructor(options: SampleServicesOptions) {
    this.#options = options;
    this.#up = new Gauge({
      name: "tocsin_sample_service_running",
      help: "Whether the process of a sample service runs.",
      labelNames: ["service"],
      registers: [options.registry],
    });
  }

  get specs(): readonly SampleSpec[] {
    return this.#options.specs;
  }

  async start(): Promise<void> {
    for (const spec of this.#options.specs) this.#launch(spec);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#running.values()].map((child) => this.#end(child)));
  }

  /** Keeps a crashed service down until `release`, so that its absence can be seen. */
  hold(name: string): void {
    this.#held.add(name);
  }

  release(name: string): void {
    this.#held.delete(name);
    const spec = this.#options.specs.find((candidate) => candidate.name === name);
    if (spec && !this.#running.has(name)) this.#launch(spec);
  }

  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  #launch(spec: SampleSpec): void {
    if (this.#stopping || this.#held.has(spec.name) || this.#running.has(spec.name)) return;
    const { clock, logger, nodeArgs, cwd } = this.#options;
    const startedAt = clock.now();
    const child = spawn(process.execPath, [...nodeArgs, spec.module], {
      cwd,
      env: { ...process.env, ...spec.env },
      // The child reads end-of-file on stdin when this process dies, however it dies, and ends too.
      stdio: ["pipe", "pipe", "pipe"],
    });
    this.#running.set(spec.name, child);
    this.#up.set({ service: spec.name }, 1);
    const log = logger.child({ service: spec.name });
    createInterface({ input: child.stdout }).on("line", (line) => log.debug({ line }, "sample output"));
    createInterface({ input: child.stderr }).on("line", (line) => log.info({ line }, "sample error output"));
    child.on("error", (error) => log.error({ err: error }, "sample service cannot be started"));
    child.on("close", (code, signal) => {
      this.#running.delete(spec.name);
      this.#up.set({ service: spec.name }, 0);
      if (this.#stopping || this.#held.has(spec.name)) return;
      const failures = clock.now() - startedAt > STEADY_MS ? 1 : (this.#failures.get(spec.name) ?? 0) + 1;
      this.#failures.set(spec.name, failures);
      const delayMs = backoffMs(RESTART, failures, Math.random);
      log.warn({ code, signal, delayMs }, "sample service ended; starting it again");
      clock.schedule(delayMs, () => this.#launch(spec));
    });
  }

  async #end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
    child.kill("SIGTERM");
    using _ = this.#options.clock.schedule(KILL_AFTER_MS, () => child.kill("SIGKILL"));
    await closed;
  }
}
