import type { Clock, Logger } from "@tocsin/platform";
import type { DecisionRecorder, MuteReason } from "../decisions/recorder.ts";
import type { RouterMetrics } from "../metrics.ts";
import type { Inhibitor } from "../mute/inhibit.ts";
import type { Silences } from "../mute/silence.ts";
import type { LogEntry, NotificationLog } from "../notification-log.ts";
import type { Notifier } from "./integration.ts";
import { fingerprints, withStatus, type Flush, type FlushedAlert } from "./notification.ts";
import { dedup } from "./stages/dedup-stage.ts";
import { inhibitStage } from "./stages/inhibit-stage.ts";
import { logNotification } from "./stages/log-stage.ts";
import { deliver, type Delivery } from "./stages/retry-stage.ts";
import { silenceStage } from "./stages/silence-stage.ts";
import { activeIntervalsStage, muteIntervalsStage, type TimeIntervals } from "./stages/time-interval-stages.ts";

/** What a mute stage lets through, and what it held back and why. */
export interface MuteResult {
  readonly alerts: readonly FlushedAlert[];
  readonly muted?: {
    readonly reason: MuteReason;
    readonly by: readonly string[];
    readonly alerts: readonly FlushedAlert[];
    /** Ends the sentence "… not sent to …:". */
    readonly because: string;
  };
}

export type MuteStage = (flush: Flush, alerts: readonly FlushedAlert[]) => MuteResult;

/** A receiver's integration, ready to send. */
export interface Destination {
  /** `email`; the metric label. */
  readonly integration: string;
  /** `team/email/0`: the end of the notification log's key. */
  readonly id: string;
  readonly sendResolved: boolean;
  readonly notifier: Notifier;
}

export interface PipelineOptions {
  readonly destinations: ReadonlyMap<string, readonly Destination[]>;
  readonly timeIntervals: TimeIntervals;
  readonly inhibitor: Inhibitor;
  readonly silences: Silences;
  readonly log: NotificationLog;
  readonly retentionMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly recorder: DecisionRecorder;
  readonly metrics: RouterMetrics;
  readonly logger: Logger;
}

export interface FlushOutcome {
  /** Whether every destination has what it should have. */
  readonly ok: boolean;
  /** Names of the time intervals that muted the flush. */
  readonly mutedBy: readonly string[];
}

/** What happens to a flush: mute, then per destination dedup, send with retries, log. */
export class Pipeline {
  readonly #options: PipelineOptions;
  readonly #mutes: readonly MuteStage[];

  constructor(options: PipelineOptions) {
    this.#options = options;
    this.#mutes = [
      inhibitStage(options.inhibitor),
      activeIntervalsStage(options.timeIntervals),
      muteIntervalsStage(options.timeIntervals),
      silenceStage(options.silences),
    ];
  }

  async run(flush: Flush): Promise<FlushOutcome> {
    this.#options.recorder.flush(flush);
    let alerts = flush.alerts;
    for (const mute of this.#mutes) {
      const result = mute(flush, alerts);
      if (result.muted) this.#recordMuted(flush, result.muted);
      if (result.muted && result.alerts.length === 0) return { ok: true, mutedBy: intervalNames(result.muted) };
      alerts = result.alerts;
    }
    const destinations = this.#options.destinations.get(flush.route.options.receiver) ?? [];
    const results = await Promise.all(destinations.map((destination) => this.#notify(flush, destination, alerts)));
    return { ok: results.every(Boolean), mutedBy: [] };
  }

  #recordMuted(flush: Flush, { reason, by, alerts, because }: NonNullable<MuteResult["muted"]>): void {
    this.#options.recorder.muted(flush, reason, by, alerts, because);
    this.#options.metrics.suppressed.inc({ reason }, alerts.length);
  }

  /** Whether the destination knows of the group's state, or need not. */
  async #notify(flush: Flush, destination: Destination, alerts: readonly FlushedAlert[]): Promise<boolean> {
    const { log, recorder } = this.#options;
    const key = `${flush.groupKey}:${destination.id}`;
    return log.exclusively(key, async () => {
      const { decision, entry } = dedup(log, key, flush, alerts, destination.sendResolved);
      recorder.dedup(flush, destination.integration, decision, entry, alerts);
      if (!decision.notify) return true;
      const told = destination.sendResolved ? alerts : withStatus(alerts, "firing");
      const delivery: Delivery =
        told.length === 0
          ? { status: "sent" }
          : await this.#deliver(flush, destination, told, { reason: decision.reason, entry });
      if (delivery.status === "failed") return false;
      const { retentionMs, logger, metrics, clock } = this.#options;
      const onFailure = () => metrics.stateFailures.inc({ state: "notification-log" });
      await logNotification(
        { log, retentionMs, logger, onFailure },
        key,
        flush,
        alerts,
        clock.now(),
        delivery.receiverData ?? entry?.receiverData,
      );
      return true;
    });
  }

  async #deliver(
    flush: Flush,
    { integration, notifier }: Destination,
    alerts: readonly FlushedAlert[],
    { reason, entry }: { reason: Parameters<Notifier["notify"]>[0]["reason"]; entry: LogEntry | undefined },
  ): Promise<Delivery> {
    const { clock, random, recorder, metrics, logger } = this.#options;
    metrics.notifications.inc({ integration });
    const startedFiring = newestNews(alerts, entry);
    const notification = {
      at: flush.at,
      receiver: flush.route.options.receiver,
      groupKey: flush.groupKey,
      groupLabels: flush.groupLabels,
      routeLabels: flush.routeLabels,
      reason,
      alerts,
      // A group that fires anew is a new story, also to a receiver that keeps one message per story.
      receiverData: reason === "first notification" ? undefined : entry?.receiverData,
    };
    const delivery = await deliver(notifier, notification, flush.signal, {
      clock,
      random,
      onAttempt: (facts) => {
        const now = clock.now();
        metrics.requests.inc({ integration });
        metrics.latency.observe({ integration }, facts.durationMs / 1000);
        if (facts.outcome !== "sent") metrics.requestsFailed.inc({ integration });
        const responseMs = facts.outcome === "sent" && startedFiring !== undefined ? now - startedFiring : undefined;
        if (responseMs !== undefined) metrics.response.observe({ integration }, responseMs / 1000);
        recorder.attempt(
          flush,
          integration,
          { ...facts, ...(responseMs !== undefined && { responseMs }) },
          alerts,
          now,
        );
      },
    });
    if (delivery.status === "failed") {
      metrics.notificationsFailed.inc({ integration, reason: delivery.reason });
      logger.warn(
        {
          groupKey: flush.groupKey,
          receiver: flush.route.options.receiver,
          integration,
          reason: delivery.error,
          alerts: fingerprints(alerts).length,
        },
        "notification failed",
      );
    }
    return delivery;
  }
}

/** When the newest firing alert that the destination has not heard of began; undefined when all are old news. */
function newestNews(alerts: readonly FlushedAlert[], entry: LogEntry | undefined): number | undefined {
  const known = new Set(entry?.firing);
  const news = alerts.filter(({ status, fingerprint }) => status === "firing" && !known.has(fingerprint));
  return news.length === 0 ? undefined : Math.max(...news.map(({ startsAt }) => startsAt));
}

function intervalNames({ reason, by }: NonNullable<MuteResult["muted"]>): readonly string[] {
  return reason === "mute_time_interval" || reason === "active_time_interval" ? by : [];
}
