import type { Labels } from "@tocsin/model";
import { ManualClock, silentLogger } from "@tocsin/testing";
import { fingerprint } from "@tocsin/model";
import { parseRouterConfig } from "../src/config/load.ts";
import type { AnyIntegration, Notifier } from "../src/notify/integration.ts";
import { integrations as builtIn } from "../src/notify/integrations.ts";
import type { FlushedAlert, Notification } from "../src/notify/notification.ts";
import { Templates } from "../src/notify/template.ts";
import { START } from "./scene.ts";

/** An alert as a flush passes it on; it fires unless `endsAt` is given. */
export function flushed(labels: Labels, overrides: Partial<FlushedAlert> = {}): FlushedAlert {
  return {
    fingerprint: fingerprint(labels),
    labels,
    annotations: {},
    startsAt: START,
    endsAt: undefined,
    updatedAt: START,
    timeout: false,
    generatorURL: "",
    status: overrides.endsAt === undefined ? "firing" : "resolved",
    ...overrides,
  };
}

export function notification(overrides: Partial<Notification> = {}): Notification {
  return {
    at: START + 30_000,
    receiver: "team",
    groupKey: '{}:{alertname="High"}',
    groupLabels: { alertname: "High" },
    routeLabels: {},
    reason: "first notification",
    alerts: [flushed({ alertname: "High", severity: "page" })],
    receiverData: undefined,
    ...overrides,
  };
}

export function templates(files: readonly string[] = []): Templates {
  return new Templates({ files, clock: new ManualClock(START + 60_000), externalUrl: () => "http://am.example" });
}

/** The notifier that a receiver's block gives, by way of the whole configuration. */
export function notifierOf(
  block: string,
  options: { global?: string; file?: string; integrations?: readonly AnyIntegration[] } = {},
): Notifier {
  const { global = "{}", file = "/etc/am/alertmanager.yml", integrations = builtIn } = options;
  const text = `global: ${global}\nroute: {receiver: team}\nreceivers:\n- {name: team, ${block}}\n`;
  const config = parseRouterConfig(file, text, { integrations });
  const [first] = config.receivers[0]?.integrations ?? [];
  if (!first) throw new Error("no integration in the block");
  return first.integration.create(first.config, {
    clock: new ManualClock(START),
    logger: silentLogger,
    templates: templates(),
    userAgent: "Alertmanager/0.34.0",
  });
}

export const never = new AbortController().signal;
