import { choosePort } from "@tocsin/platform";
import { flagName, type ScalarKey } from "../settings/settings.ts";
import type { Settings } from "../settings/read-settings.ts";

const LISTENERS = {
  port: "the dashboard",
  otlp_http_port: "OTLP/HTTP",
  otlp_grpc_port: "OTLP/gRPC",
  alertmanager_port: "the Alertmanager API",
  smtp_port: "the SMTP sink",
  api_port: "the sample API gateway",
  sms_port: "the sample SMS service",
  rate_limiter_port: "the sample rate limiter",
} as const satisfies Partial<Record<ScalarKey, string>>;

const DEMO_ONLY: readonly PortKey[] = ["smtp_port", "api_port", "sms_port", "rate_limiter_port"];

export type PortKey = keyof typeof LISTENERS;
const PORT_KEYS = Object.keys(LISTENERS) as PortKey[];
export type Ports = Record<PortKey, number>;

/**
 * Finds a free port for every listener that is needed. A default one that is taken moves, and `notes` gets the line to paste; one that
 * was set throws TOCSIN_PORT_TAKEN.
 */
export async function choosePorts(
  settings: Settings,
  notes: string[],
  needed: readonly PortKey[] = PORT_KEYS.filter((key) => settings.demo || !DEMO_ONLY.includes(key)),
): Promise<Ports> {
  const chosen = new Map<PortKey, number>();
  for (const key of PORT_KEYS) {
    if (!needed.includes(key)) {
      chosen.set(key, settings[key]);
      continue;
    }
    const port = await choosePort({
      host: settings.host,
      port: settings[key],
      what: LISTENERS[key],
      flag: `--${flagName(key)}`,
      moveWhenTaken: !settings.given.has(key),
      except: new Set(chosen.values()),
    });
    if (settings[key] !== 0 && port !== settings[key]) {
      notes.push(
        `port ${settings[key]} is taken; ${LISTENERS[key]} moved. To keep it there: --${flagName(key)} ${port}`,
      );
    }
    chosen.set(key, port);
  }
  return Object.fromEntries(chosen) as Ports;
}
