import { formatDuration, parseDuration, type DecisionRecord, type Labels } from "@tocsin/model";
import { Registry, type Clock } from "@tocsin/platform";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { bool, count, object, text } from "../src/config/fields.ts";
import { defineIntegration, type NotifyResult } from "../src/notify/integration.ts";
import type { FlushedAlert, Notification } from "../src/notify/notification.ts";
import { createAlertRouter, type AlertRouter, type AlertRouterOptions } from "../src/router.ts";
import { memoryStorage, type StateStorage } from "../src/state/state-log.ts";

/** A Saturday, noon UTC. */
export const START = Date.parse("2026-11-21T12:00:00Z");

export interface Told {
  readonly atMs: number;
  readonly notification: Notification;
}

export interface SceneOptions extends Partial<AlertRouterOptions> {
  /** What the destinations answer; default: they accept at once. */
  readonly answer?: (told: Told, attempt: number, signal: AbortSignal) => NotifyResult | Promise<NotifyResult>;
}

const ACCEPTED: NotifyResult = { status: "sent" };

/**
 * A router on a manual clock whose destinations (`told_configs:`) write down what they are told. Alerts are named by
 * their alertname; times are durations since the start.
 */
export class Scene {
  readonly clock: ManualClock;
  readonly storage: StateStorage;
  readonly told: Told[] = [];
  readonly attempts: Told[] = [];
  readonly decisions: DecisionRecord[] = [];
  registry = new Registry();
  router: AlertRouter;
  config: string;
  readonly #options: SceneOptions;
  #life = new Life();

  constructor(config: string, options: SceneOptions = {}) {
    this.config = config;
    this.#options = options;
    this.clock = new ManualClock(START);
    this.storage = options.storage ?? memoryStorage();
    this.router = this.#create();
  }

  /** Advances to a point in time, as a duration since the start. */
  async at(time: string): Promise<this> {
    await this.clock.advance(START + parseDuration(time) - this.clock.now());
    return this;
  }

  /** An alert that fires for a day from now, or as `overrides` says; an empty `endsAt` is none. */
  async fire(
    alertname: string,
    labels: Labels = {},
    overrides: { startsAt?: string; endsAt?: string } = {},
  ): Promise<void> {
    const endsAt = new Date(this.clock.now() + 86_400_000).toISOString();
    await this.router.postAlerts([{ labels: { alertname, ...labels }, startsAt: this.iso(), endsAt, ...overrides }]);
  }

  /** Says that an alert has ended now. */
  async resolve(alertname: string, labels: Labels = {}): Promise<void> {
    await this.fire(alertname, labels, { endsAt: this.iso() });
  }

  /** The present, or `time` since the start. */
  iso(time?: string): string {
    return new Date(time === undefined ? this.clock.now() : START + parseDuration(time)).toISOString();
  }

  async silence(matcher: string, until: string, from?: string): Promise<string> {
    const [name = "", value = ""] = matcher.split("=");
    const result = await this.router.setSilence({
      matchers: [{ name, type: "=", value }],
      startsAt: from === undefined ? this.clock.now() : START + parseDuration(from),
      endsAt: START + parseDuration(until),
      createdBy: "ann",
      comment: "maintenance",
      annotations: {},
    });
    if (result.status !== "ok") throw new Error(JSON.stringify(result));
    return result.silence.id;
  }

  async reload(config: string): Promise<void> {
    this.config = config;
    await this.router.reload();
  }

  /** A new process over the same state; with `crash`, the old one ends without being told. */
  async restart({ crash = false } = {}): Promise<void> {
    if (crash) this.#life.kill();
    else await this.router.stop();
    this.#life = new Life();
    this.registry = new Registry();
    this.router = this.#create();
    await this.router.start();
  }

  /** What was told, one line each: `30s team: A B, resolved C (first notification)`. */
  get lines(): string[] {
    return this.told.map(line);
  }

  /** The lines since the last call. */
  news(): string[] {
    const lines = this.lines.slice(this.#seen);
    this.#seen = this.told.length;
    return lines;
  }
  #seen = 0;

  #create(): AlertRouter {
    return createAlertRouter({
      configFile: "/etc/alertmanager.yml",
      configText: () => this.config,
      clock: this.#life.clock(this.clock),
      logger: silentLogger,
      registry: this.registry,
      externalUrl: "http://am.example",
      onDecision: (record) => void this.decisions.push(record),
      integrations: [toldIntegration(this)],
      random: () => 0.5,
      ...this.#options,
      storage: this.#life.storage(this.storage),
    });
  }

  async hear(notification: Notification, signal: AbortSignal): Promise<NotifyResult> {
    const told = { atMs: this.clock.now(), notification };
    this.attempts.push(told);
    const result = (await this.#options.answer?.(told, this.attempts.length, signal)) ?? ACCEPTED;
    if (result.status === "sent") this.told.push(told);
    return result;
  }
}

export async function openScene(config: string, options: SceneOptions = {}): Promise<Scene> {
  const scene = new Scene(config, options);
  await scene.router.start();
  return scene;
}

/** What a router holds of the world; `kill` ends all of it at once, as kill -9 does. */
class Life {
  #alive = true;

  kill(): void {
    this.#alive = false;
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      schedule: (delayMs, fn) => clock.schedule(delayMs, () => this.#alive && fn()),
    };
  }

  storage(storage: StateStorage): StateStorage {
    const whileAlive = (run: () => Promise<void>) => (this.#alive ? run() : new Promise<void>(() => {}));
    return {
      open: (name) => {
        const log = storage.open(name);
        return {
          load: () => log.load(),
          append: (records) => whileAlive(() => log.append(records)),
          snapshot: (records) => whileAlive(() => log.snapshot(records)),
          get appendedBytes() {
            return log.appendedBytes;
          },
          close: () => log.close(),
        };
      },
    };
  }
}

const ToldConfig = object({ send_resolved: bool.default(true), to: text.optional(), index: count.optional() });

function toldIntegration(scene: Scene) {
  return defineIntegration({
    name: "told",
    config: ToldConfig,
    settle: (config) => config,
    templates: () => ({ text: [] }),
    create: () => ({ notify: (notification, signal) => scene.hear(notification, signal) }),
  });
}

function line({ atMs, notification }: Told): string {
  const names = (status: FlushedAlert["status"]) =>
    notification.alerts.filter((alert) => alert.status === status).map(({ labels }) => labels["alertname"]);
  const firing = names("firing").join(" ");
  const resolved = names("resolved").join(" ");
  const what = [firing, resolved === "" ? "" : `resolved ${resolved}`].filter((part) => part !== "").join(", ");
  return `${formatDuration(atMs - START)} ${notification.receiver}: ${what} (${notification.reason})`;
}
