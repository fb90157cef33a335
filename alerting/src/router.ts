import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { DecisionRecord, Labels, MatcherMode, PostableAlert, UnixMs } from "@tocsin/model";
import { every, type Clock, type Component, type Logger, type Registry } from "@tocsin/platform";
import type { AlertGroup } from "./alert-group.ts";
import { alertRecord, alertsFromRecords, AlertStore, isResolved, type Alert } from "./alert-store.ts";
import { joinExtraReceivers, type ExtraReceivers } from "./config/extra-receivers.ts";
import { loadRouterConfig, parseRouterConfig, type RouterConfig } from "./config/load.ts";
import { DecisionRecorder } from "./decisions/recorder.ts";
import { Dispatcher } from "./dispatcher.ts";
import { createRouterMetrics, type RouterMetrics } from "./metrics.ts";
import { Inhibitor } from "./mute/inhibit.ts";
import { Silences, silenceState, type SetSilenceResult, type SilenceRequest } from "./mute/silence.ts";
import { NotificationLog } from "./notification-log.ts";
import type { AnyIntegration } from "./notify/integration.ts";
import { integrations as builtIn } from "./notify/integrations.ts";
import { flushedAlert, type FlushedAlert } from "./notify/notification.ts";
import { Pipeline, type Destination } from "./notify/pipeline.ts";
import { Templates } from "./notify/template.ts";
import { receiveAlert } from "./posted-alert.ts";
import { matchRoutes, walkRoutes, type Route } from "./route.ts";
import { fileStorage } from "./state/file-storage.ts";
import { memoryStorage, type StateLog, type StateStorage } from "./state/state-log.ts";

/** The release of Alertmanager whose behaviour and API this is. */
export const COMPATIBLE_VERSION = "0.34.0";

export interface AlertRouterOptions {
  /** An `alertmanager.yml`; read again at each reload. */
  readonly configFile: string;
  /**
   * The configuration itself, instead of the file's content; a function is asked at each reload. The file's
   * name then stands in messages, and relative paths count from its folder.
   */
  readonly configText?: string | (() => string);
  /** Where state lives, in `<dataDir>/alerting/`. Without it, state ends with the process. */
  readonly dataDir?: string;
  /** Ways to notify that Alertmanager has not, joined to the file's receivers by name. */
  readonly extraReceivers?: ExtraReceivers;
  /** Where `extraReceivers` was read: named in messages, and its relative paths count from there. */
  readonly extraReceiversFile?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gets `alertmanager_*` and a few `tocsin_*` metrics. */
  readonly registry: Registry;
  /** Where people reach this router, without a trailing slash. A function when it is known only after listening. */
  readonly externalUrl: string | (() => string);
  readonly onDecision?: (record: DecisionRecord) => void;
  readonly matcherMode?: MatcherMode;
  /** How long expired silences and the notification log's entries are kept. Default 120 h. */
  readonly retentionMs?: number;
  /** How often state is collected and written anew. Default 15 min. */
  readonly maintenanceIntervalMs?: number;
  /** How often resolved alerts are forgotten. Default 30 min. */
  readonly alertGcIntervalMs?: number;
  readonly perAlertnameLimit?: number;
  /** After start, no group is flushed for this long. */
  readonly startDelayMs?: number;
  readonly maxSilences?: number;
  readonly maxSilenceBytes?: number;
  /** How long flushes at work may go on when the router stops. Default 5 s. */
  readonly stopGraceMs?: number;
  /** The receivers' types; for tests. */
  readonly integrations?: readonly AnyIntegration[];
  readonly storage?: StateStorage;
  /** In [0, 1), for the spread of retries. */
  readonly random?: () => number;
  readonly newId?: () => string;
}

export interface PostResult {
  readonly accepted: number;
  /** Why the others were not: one text each. */
  readonly errors: readonly string[];
}

/** What mutes an alert at a moment. */
export interface AlertMutes {
  readonly silencedBy: readonly string[];
  readonly inhibitedBy: readonly string[];
}

/** Everything that a configuration decides; a reload builds a new one before the old one goes. */
interface Runtime {
  readonly config: RouterConfig;
  readonly templates: Templates;
  readonly inhibitor: Inhibitor;
  readonly destinations: ReadonlyMap<string, readonly Destination[]>;
  readonly dispatcher: Dispatcher;
}

const HOUR_MS = 3_600_000;
/** A log that grew by this much is replaced by a snapshot before the maintenance interval. */
const SNAPSHOT_AFTER_BYTES = 32 * 1024 * 1024;

/** Routes alerts to receivers as Alertmanager does, and says why. */
export function createAlertRouter(options: AlertRouterOptions): AlertRouter {
  return new AlertRouter(options);
}

export class AlertRouter implements Component {
  readonly name = "alert router";
  readonly clock: Clock;
  readonly metrics: RouterMetrics;
  readonly silences: Silences;
  readonly matcherMode: MatcherMode;
  readonly #options: AlertRouterOptions;
  readonly #logger: Logger;
  readonly #integrations: readonly AnyIntegration[];
  readonly #retentionMs: number;
  readonly #alertLog: StateLog;
  readonly #silenceLog: StateLog;
  readonly #sentLog: StateLog;
  readonly #log: NotificationLog;
  readonly #alerts: AlertStore;
  readonly #recorder: DecisionRecorder;
  /** Where each alert was last said to go, so that a routing is recorded once. */
  readonly #routedTo = new Map<string, string>();
  #firstConfig: RouterConfig | undefined;
  #runtime: Runtime | undefined;
  #timers: Disposable[] = [];
  #startedAt: UnixMs;
  #forgotten: string[] = [];
  #snapshotting = false;

  /** Reads the configuration; throws a ConfigError when it has mistakes. */
  constructor(options: AlertRouterOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.matcherMode = options.matcherMode ?? "default";
    this.#logger = options.logger.child({ component: "alert router" });
    this.#integrations = options.integrations ?? builtIn;
    this.#retentionMs = options.retentionMs ?? 120 * HOUR_MS;
    this.#firstConfig = this.#readConfig();
    this.#startedAt = this.clock.now();
    const storage =
      options.storage ??
      (options.dataDir === undefined ? memoryStorage() : fileStorage(join(options.dataDir, "alerting"), this.#logger));
    this.#alertLog = storage.open("alerts");
    this.#silenceLog = storage.open("silences");
    this.#sentLog = storage.open("notification-log");
    this.#log = new NotificationLog(this.#sentLog);
    this.silences = new Silences({
      log: this.#silenceLog,
      newId: options.newId ?? randomUUID,
      retentionMs: this.#retentionMs,
      maxSilences: options.maxSilences ?? 0,
      maxSilenceBytes: options.maxSilenceBytes ?? 0,
    });
    this.#alerts = new AlertStore({
      perNameLimit: options.perAlertnameLimit ?? 0,
      onRemove: (alert) => this.#onRemoved(alert),
    });
    this.#recorder = new DecisionRecorder(
      options.onDecision ?? (() => {}),
      `${this.#startedAt.toString(36)}-${randomUUID().slice(0, 8)}`,
    );
    this.metrics = createRouterMetrics(options.registry, {
      alertsByState: () => this.#countAlerts(),
      silencesByState: () => this.#countSilences(),
      groups: () => this.#runtime?.dispatcher.size ?? 0,
      version: COMPATIBLE_VERSION,
    });
  }

  async start(): Promise<void> {
    const at = this.clock.now();
    this.#startedAt = at;
    await this.silences.load(at);
    await this.#log.load(at);
    for (const alert of alertsFromRecords(await this.#alertLog.load()).values()) this.#alerts.put(alert, at);
    this.#use(this.#build(this.#firstConfig ?? this.#readConfig()));
    this.#firstConfig = undefined;
    const { maintenanceIntervalMs = 15 * 60_000, alertGcIntervalMs = 30 * 60_000 } = this.#options;
    const failed = (err: unknown) => this.#logger.error({ err }, "maintenance failed");
    this.#timers = [
      every(this.clock, maintenanceIntervalMs, () => this.#maintain(), failed),
      every(this.clock, alertGcIntervalMs, () => this.#collectAlerts(), failed),
    ];
  }

  async stop(): Promise<void> {
    const runtime = this.#runtime;
    if (!runtime) return;
    this.#runtime = undefined;
    for (const timer of this.#timers) timer[Symbol.dispose]();
    await runtime.dispatcher.stop(this.#options.stopGraceMs ?? 5000);
    await closeNotifiers(runtime);
    try {
      await this.#snapshot();
    } finally {
      for (const log of [this.#alertLog, this.#silenceLog, this.#sentLog]) await log.close();
    }
  }

  /**
   * Reads the configuration again. Everything is built before anything is replaced: on a mistake it throws (ConfigError)
   * and the old configuration stays in force.
   */
  async reload(): Promise<void> {
    const old = this.#running();
    let next: Runtime;
    try {
      next = this.#build(this.#readConfig());
    } catch (error) {
      this.metrics.configSuccessful.set(0);
      throw error;
    }
    // The new groups wait, per destination, for what the old ones are just sending; see NotificationLog.exclusively.
    const stopped = old.dispatcher.stop(this.#options.stopGraceMs ?? 5000);
    this.#use(next);
    await stopped;
    await closeNotifiers(old);
  }

  /** Takes in alerts. Rejects when they could not be written down; they are routed nevertheless. */
  async postAlerts(posted: readonly PostableAlert[]): Promise<PostResult> {
    const { config, inhibitor, dispatcher } = this.#running();
    const at = this.clock.now();
    const receive = { at, resolveTimeoutMs: config.global.resolve_timeout, mode: this.matcherMode };
    const errors: string[] = [];
    const kept: Alert[] = [];
    for (const item of posted) {
      try {
        const received = receiveAlert(item, receive);
        this.metrics.received.inc({ status: isResolved(received, at) ? "resolved" : "firing", version: "v2" });
        const alert = this.#alerts.put(received, at);
        if (alert) kept.push(alert);
        else this.#limited(received);
      } catch (error) {
        this.metrics.received.inc({ status: "firing", version: "v2" });
        this.metrics.invalid.inc({ version: "v2" });
        errors.push((error as Error).message);
      }
    }
    for (const alert of kept) inhibitor.put(alert);
    const began = performance.now();
    for (const alert of kept) this.#dispatch(dispatcher, alert, at);
    if (kept.length > 0) this.metrics.processing.observe((performance.now() - began) / 1000 / kept.length);
    await this.#write("alerts", this.#alertLog, kept.map(alertRecord));
    if (this.#alertLog.appendedBytes > SNAPSHOT_AFTER_BYTES) void this.#maintain();
    return { accepted: kept.length, errors };
  }

  setSilence(request: SilenceRequest): Promise<SetSilenceResult> {
    return this.silences.set(request, this.clock.now());
  }

  expireSilence(id: string): Promise<"ok" | "unknown"> {
    return this.silences.expire(id, this.clock.now());
  }

  // --- what the API shows --------------------------------------------------------------------------------------------

  get config(): RouterConfig {
    return this.#running().config;
  }

  get startedAt(): UnixMs {
    return this.#startedAt;
  }

  get running(): boolean {
    return this.#runtime !== undefined;
  }

  alerts(): Iterable<Alert> {
    return this.#alerts.values();
  }

  groups(): Iterable<AlertGroup> {
    return this.#running().dispatcher.groups();
  }

  /** The receivers an alert goes to, in the order of the tree. */
  receiversOf(alert: Alert): string[] {
    return matchRoutes(this.#running().config.route, alert.labels).map(({ options }) => options.receiver);
  }

  mutesOf(alert: Alert, at: UnixMs): AlertMutes {
    const inhibition = this.#running().inhibitor.mutes(alert.labels, at);
    return {
      silencedBy: this.silences.mutes(alert.labels, at),
      inhibitedBy: inhibition ? [inhibition.fingerprint] : [],
    };
  }

  routeLabelsOf(group: AlertGroup, at: UnixMs): Labels {
    const alerts = Array.from(group.alerts(), (alert) => flushedAlert(alert, at));
    return routeLabels(this.#running().templates, group, alerts);
  }

  // --- inside --------------------------------------------------------------------------------------------------------

  #running(): Runtime {
    if (!this.#runtime) throw new Error("the alert router is not running");
    return this.#runtime;
  }

  #readConfig(): RouterConfig {
    const { configFile, configText } = this.#options;
    const options = { integrations: this.#integrations, mode: this.matcherMode, retentionMs: this.#retentionMs };
    const config =
      configText === undefined
        ? loadRouterConfig(configFile, options)
        : parseRouterConfig(configFile, typeof configText === "string" ? configText : configText(), options);
    const { extraReceivers = [], extraReceiversFile } = this.#options;
    return joinExtraReceivers(config, extraReceivers, extraReceiversFile);
  }

  /** Builds without touching what runs. Throws a ConfigError when a template has a mistake. */
  #build(config: RouterConfig): Runtime {
    const { externalUrl, logger, startDelayMs = 0 } = this.#options;
    const { clock, metrics } = this;
    const templates = new Templates({
      files: config.templateFiles,
      clock,
      externalUrl: typeof externalUrl === "string" ? () => externalUrl : externalUrl,
    });
    for (const warning of templates.mistakesIn(config.receivers))
      this.#logger.warn({ warning }, "configuration warning");
    const inhibitor = new Inhibitor(config.inhibitRules);
    const destinations = this.#createDestinations(config, templates);
    const pipeline = new Pipeline({
      destinations,
      timeIntervals: config.timeIntervals,
      inhibitor,
      silences: this.silences,
      log: this.#log,
      retentionMs: this.#retentionMs,
      clock,
      random: this.#options.random ?? Math.random,
      recorder: this.#recorder,
      metrics,
      logger: this.#logger,
    });
    const dispatcher = new Dispatcher({
      route: config.route,
      clock,
      logger: logger.child({ component: "dispatcher" }),
      startAt: this.#startedAt + startDelayMs,
      run: (flush) => pipeline.run(flush),
      routeLabels: (group, alerts) => routeLabels(templates, group, alerts),
    });
    return { config, templates, inhibitor, destinations, dispatcher };
  }

  #createDestinations(config: RouterConfig, templates: Templates): Map<string, Destination[]> {
    const used = new Set(Array.from(walkRoutes(config.route), ({ options }) => options.receiver));
    const deps = {
      clock: this.clock,
      logger: this.#logger,
      templates,
      userAgent: `Alertmanager/${COMPATIBLE_VERSION}`,
    };
    const destinations = new Map<string, Destination[]>();
    for (const receiver of config.receivers) {
      if (!used.has(receiver.name)) {
        this.#logger.info({ receiver: receiver.name }, "receiver not used by any route");
        continue;
      }
      destinations.set(
        receiver.name,
        receiver.integrations.map(({ integration, config, index }) => ({
          integration: integration.name,
          id: `${receiver.name}/${integration.name}/${index}`,
          sendResolved: config.send_resolved,
          notifier: integration.create(config, deps),
        })),
      );
    }
    return destinations;
  }

  /** Puts a runtime in force and fills it with the alerts there are. */
  #use(runtime: Runtime): void {
    this.#runtime = runtime;
    const { config, inhibitor } = runtime;
    for (const warning of config.warnings) this.#logger.warn({ warning }, "configuration warning");
    for (const alert of this.#alerts.values()) inhibitor.put(alert);
    const at = this.clock.now();
    for (const alert of this.#alerts.values()) this.#readmit(runtime, alert, at);
    this.metrics.configSuccessful.set(1);
    this.metrics.configSuccessTime.set(at / 1000);
    this.metrics.configHash.set(config.hash);
    this.metrics.receivers.set(config.receivers.length);
    this.metrics.integrations.set(config.receivers.reduce((sum, { integrations }) => sum + integrations.length, 0));
    this.metrics.inhibitionRules.set(config.inhibitRules.length);
  }

  /**
   * After a start or reload, alerts find their groups again. A resolved one does so only where a destination still
   * takes it for firing: elsewhere its end has been reported, and would be reported twice.
   */
  #readmit({ dispatcher, destinations }: Runtime, alert: Alert, at: UnixMs): void {
    if (!isResolved(alert, at)) {
      // After a start the routing is old news; after a reload it is news where it changed.
      return this.#dispatch(dispatcher, alert, at, this.#routedTo.has(alert.fingerprint));
    }
    dispatcher.dispatch(alert, (route: Route, key) =>
      (destinations.get(route.options.receiver) ?? []).some(({ id }) =>
        this.#log.get(`${key}:${id}`)?.firing.includes(alert.fingerprint),
      ),
    );
  }

  #dispatch(dispatcher: Dispatcher, alert: Alert, at: UnixMs, isNews = true): void {
    const { groups, entered } = dispatcher.dispatch(alert);
    if (!entered) return;
    const way = groups.map(({ key, route }) => `${route.index}${key}`).join("\n");
    if (this.#routedTo.get(alert.fingerprint) === way) return;
    this.#routedTo.set(alert.fingerprint, way);
    if (isNews) this.#recorder.routed(alert, groups, at);
  }

  #limited(alert: Alert): void {
    this.metrics.limited.inc();
    this.#logger.warn(
      { alertname: alert.labels["alertname"], limit: this.#options.perAlertnameLimit },
      "alert dropped: its alertname is at the limit",
    );
  }

  #onRemoved(alert: Alert): void {
    this.#runtime?.inhibitor.remove(alert);
    this.#routedTo.delete(alert.fingerprint);
    this.#forgotten.push(alert.fingerprint);
  }

  async #collectAlerts(): Promise<void> {
    this.#alerts.collectGarbage(this.clock.now());
    const forgotten = this.#forgotten;
    this.#forgotten = [];
    await this.#write(
      "alerts",
      this.#alertLog,
      forgotten.map((removed) => ({ removed })),
    );
  }

  async #maintain(): Promise<void> {
    if (this.#snapshotting) return;
    this.#snapshotting = true;
    try {
      const at = this.clock.now();
      this.metrics.silencesMaintenance.inc();
      this.metrics.nflogMaintenance.inc();
      this.silences.collectGarbage(at);
      this.#log.collectGarbage(at);
      await this.#snapshot();
    } catch (err) {
      this.metrics.silencesMaintenanceErrors.inc();
      this.metrics.nflogMaintenanceErrors.inc();
      this.metrics.stateFailures.inc({ state: "snapshot" });
      this.#logger.error({ err }, "router state not written");
    } finally {
      this.#snapshotting = false;
    }
  }

  async #snapshot(): Promise<void> {
    await this.silences.snapshot();
    await this.#log.snapshot();
    await this.#alertLog.snapshot(Array.from(this.#alerts.values(), alertRecord));
  }

  async #write(state: string, log: StateLog, records: readonly unknown[]): Promise<void> {
    try {
      await log.append(records);
    } catch (error) {
      this.metrics.stateFailures.inc({ state });
      throw error;
    }
  }

  #countAlerts(): Record<"active" | "suppressed" | "unprocessed", number> {
    const counts = { active: 0, suppressed: 0, unprocessed: 0 };
    if (!this.#runtime) return counts;
    const at = this.clock.now();
    for (const alert of this.#alerts.values()) {
      if (isResolved(alert, at)) continue;
      const { silencedBy, inhibitedBy } = this.mutesOf(alert, at);
      counts[silencedBy.length + inhibitedBy.length > 0 ? "suppressed" : "active"]++;
    }
    return counts;
  }

  #countSilences(): Record<"active" | "pending" | "expired", number> {
    const at = this.clock.now();
    const counts = { active: 0, pending: 0, expired: 0 };
    for (const silence of this.silences.values()) counts[silenceState(silence, at)]++;
    return counts;
  }
}

function routeLabels(templates: Templates, group: AlertGroup, alerts: readonly FlushedAlert[]): Labels {
  const { labels, receiver } = group.route.options;
  const notification = {
    receiver,
    reason: "first notification" as const,
    groupLabels: group.labels,
    routeLabels: {},
    alerts,
  };
  return templates.routeLabels(labels, { ...templates.data(notification), reason: "" });
}

async function closeNotifiers({ destinations }: Runtime): Promise<void> {
  for (const list of destinations.values()) for (const { notifier } of list) await notifier.close?.();
}
