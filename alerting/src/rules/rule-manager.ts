import { randomUUID } from "node:crypto";
import { type DecisionRecord, type Labels, labelsKey } from "@tocsin/model";
import { type Clock, type Component, errorMessage, type Logger, type Registry } from "@tocsin/platform";
import type { AlertSink, QuerySource, RuleOutput } from "../query-source.ts";
import { AlertQueue } from "./alert-queue.ts";
import { findRuleFiles, loadRuleFiles, type RuleGroupConfig } from "./rule-file.ts";
import { endOfSeries, type GroupContext, type GroupSnapshot, RuleGroup } from "./rule-group.ts";
import { createAlertQueueMetrics, createRuleMetrics, type RuleMetrics } from "./rule-metrics.ts";

export interface RuleManagerOptions {
  /** Paths or globs of rule files. */
  files: readonly string[];
  queries: QuerySource;
  output: RuleOutput;
  alerts: AlertSink;
  /** Addresses of the alert API that `alerts` sends to, for `/api/v1/alertmanagers`. */
  alertmanagers?: readonly string[];
  clock: Clock;
  logger: Logger;
  registry: Registry;
  /** Gets one record per alert that changes state and per error that begins. */
  onDecision: (decision: DecisionRecord) => void;
  /** Labels of alerts that are sent, where they have none of that name. */
  externalLabels?: Labels;
  /** Where people reach this instance; links in alerts begin with it. */
  externalUrl: string;
  /** Interval of groups that set none; default 1m. */
  evaluationIntervalMs?: number;
  queryOffsetMs?: number;
  /** Default 1m. */
  resendDelayMs?: number;
  /** Default 1h. */
  outageToleranceMs?: number;
  /** Default 10m. */
  gracePeriodMs?: number;
  newId?: () => string;
  random?: () => number;
}

/** Evaluates rule files: loads them on `start`, anew on `reload`. */
export interface RuleManager extends Component {
  /** Loads the files again. Throws a ConfigError and leaves everything running as it was when one has a mistake. */
  reload(): Promise<void>;
  /** All groups, by file, then name. */
  groups(): GroupSnapshot[];
  readonly alertmanagers: readonly string[];
}

export function createRuleManager(options: RuleManagerOptions): RuleManager {
  return new GroupManager(options);
}

class GroupManager implements RuleManager {
  readonly name = "rules";
  readonly alertmanagers: readonly string[];
  readonly #options: RuleManagerOptions;
  readonly #metrics: RuleMetrics;
  readonly #queue: AlertQueue;
  readonly #context: GroupContext;
  readonly #groups = new Map<string, RuleGroup>();
  /** Ends of the series of groups that are gone, still to come. */
  readonly #endings = new Set<Disposable>();
  #reloading: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: RuleManagerOptions) {
    this.#options = options;
    this.alertmanagers = options.alertmanagers ?? [];
    const logger = options.logger.child({ component: "rules" });
    this.#metrics = createRuleMetrics(options.registry);
    this.#queue = new AlertQueue({
      sink: options.alerts,
      clock: options.clock,
      logger,
      metrics: createAlertQueueMetrics(options.registry),
      random: options.random ?? Math.random,
    });
    this.#context = {
      clock: options.clock,
      queries: options.queries,
      output: options.output,
      send: (alerts) => this.#queue.enqueue(alerts),
      onDecision: options.onDecision,
      newId: options.newId ?? randomUUID,
      logger,
      metrics: this.#metrics,
      externalLabels: options.externalLabels ?? {},
      externalUrl: options.externalUrl.replace(/\/+$/, ""),
      resendDelayMs: options.resendDelayMs ?? 60_000,
      outageToleranceMs: options.outageToleranceMs ?? 3_600_000,
      gracePeriodMs: options.gracePeriodMs ?? 600_000,
    };
  }

  async start(): Promise<void> {
    await this.#load(true);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#reloading.catch(() => undefined);
    for (const ending of this.#endings) ending[Symbol.dispose]();
    await Promise.all([...this.#groups.values()].map((group) => group.stop({ abandon: true })));
    await this.#queue.stop();
  }

  reload(): Promise<void> {
    this.#reloading = this.#reloading.catch(() => undefined).then(() => this.#load(false));
    return this.#reloading;
  }

  groups(): GroupSnapshot[] {
    return [...this.#groups.values()]
      .map((group) => group.snapshot())
      .sort((a, b) => compare(a.config.file, b.config.file) || compare(a.config.name, b.config.name));
  }

  async #load(atStart: boolean): Promise<void> {
    let configs: RuleGroupConfig[];
    try {
      configs = loadRuleFiles(await findRuleFiles(this.#options.files), {
        evaluationIntervalMs: this.#options.evaluationIntervalMs ?? 60_000,
        queryOffsetMs: this.#options.queryOffsetMs ?? 0,
      });
    } catch (error) {
      this.#metrics.reloadSuccessful.set(0);
      throw error;
    }
    if (this.#stopped) return;
    this.#metrics.reloadSuccessful.set(1);
    const wanted = new Map(configs.map((config) => [groupKey(config), config]));
    for (const [key, group] of this.#groups) if (!wanted.has(key)) await this.#remove(key, group);
    for (const [key, config] of wanted) await this.#put(key, config, atStart);
  }

  /** Starts a group, or its successor when it changed; an unchanged one goes on untouched. */
  async #put(key: string, config: RuleGroupConfig, restore: boolean): Promise<void> {
    const old = this.#groups.get(key);
    if (old?.config.digest === config.digest) return;
    await old?.stop({ abandon: false });
    const group = new RuleGroup(config, this.#context, { restore, ...(old === undefined ? {} : { inherit: old }) });
    this.#groups.set(key, group);
    if (!this.#stopped) group.start();
  }

  /** A group that was renamed takes its series over meanwhile; what nobody took over ends two intervals later. */
  async #remove(key: string, group: RuleGroup): Promise<void> {
    this.#groups.delete(key);
    await group.stop({ abandon: false });
    group.removeMetrics();
    const ending = this.#context.clock.schedule(2 * group.config.intervalMs, () => {
      this.#endings.delete(ending);
      const live = new Set([...this.#groups.values()].flatMap((other) => [...other.writtenSeries().keys()]));
      const ended = [...group.writtenSeries().values()].filter((labels) => !live.has(labelsKey(labels)));
      if (ended.length === 0) return;
      const at = this.#context.clock.now() - group.config.queryOffsetMs;
      this.#context.output
        .append({ series: ended.map((labels) => endOfSeries(labels, at)) })
        .catch((error: unknown) => {
          this.#context.logger.warn(
            { error: errorMessage(error) },
            "series of a removed rule group could not be ended",
          );
        });
    });
    this.#endings.add(ending);
  }
}

const groupKey = (config: RuleGroupConfig) => `${config.file};${config.name}`;
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
