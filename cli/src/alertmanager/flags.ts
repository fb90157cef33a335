import { parseArgs } from "node:util";
import { formatDuration, parseDuration, type MatcherMode } from "@tocsin/model";
import { TocsinError } from "@tocsin/platform";

/** One flag of Alertmanager's command line, in its own spelling. */
interface FlagSpec {
  name: string;
  kind: "string" | "boolean" | "strings";
  fallback: string;
  help: string;
}

const flag = (name: string, fallback: string, help: string, kind: FlagSpec["kind"] = "string"): FlagSpec => ({
  name,
  kind,
  fallback,
  help,
});

/** Alertmanager 0.34's flags. Those about gossip are taken so that unit files work, and refused where they would lie. */
export const FLAGS: readonly FlagSpec[] = [
  flag("config.file", "alertmanager.yml", "Alertmanager configuration file."),
  flag("storage.path", "data/", "Folder for silences, the notification log, alerts and decisions."),
  flag("data.retention", "120h", "How long expired silences and notification log entries are kept."),
  flag("data.maintenance-interval", "15m", "How often state is collected and written anew."),
  flag("alerts.gc-interval", "30m", "How often resolved alerts are forgotten."),
  flag("alerts.per-alertname-limit", "0", "Alerts held per alertname; 0 for no limit."),
  flag("dispatch.maintenance-interval", "30s", "Taken for compatibility; empty groups go at once."),
  flag("dispatch.start-delay", "0s", "No group is flushed for this long after the start."),
  flag("silences.max-silences", "0", "Silences held, expired ones included; 0 for no limit."),
  flag("silences.max-silence-size-bytes", "0", "Size of one silence; 0 for no limit."),
  flag("log.silences", "false", "Taken for compatibility; decision records name silences.", "boolean"),
  flag("web.listen-address", ":9093", "Address to listen on; repeatable.", "strings"),
  flag("web.config.file", "", "TLS and basic auth; not built, an error when set."),
  flag("web.external-url", "", "URL under which people reach this server."),
  flag("web.route-prefix", "", "Path before every endpoint; the external URL's path by default."),
  flag("web.get-concurrency", "0", "GET requests at one time; 0 for the number of processors or 8."),
  flag("web.timeout", "0s", "Not built; an error when set."),
  flag("cluster.listen-address", "0.0.0.0:9094", "Taken for compatibility; this router does not gossip."),
  flag("cluster.advertise-address", "", "Taken for compatibility."),
  flag("cluster.peer-name", "", "Taken for compatibility."),
  flag("cluster.peer", "", "Not built; an error when set.", "strings"),
  flag("cluster.peer-timeout", "15s", "Taken for compatibility."),
  flag("cluster.peers-resolve-timeout", "15s", "Taken for compatibility."),
  flag("cluster.gossip-interval", "200ms", "Taken for compatibility."),
  flag("cluster.pushpull-interval", "1m0s", "Taken for compatibility."),
  flag("cluster.tcp-timeout", "10s", "Taken for compatibility."),
  flag("cluster.probe-timeout", "500ms", "Taken for compatibility."),
  flag("cluster.probe-interval", "1s", "Taken for compatibility."),
  flag("cluster.settle-timeout", "1m0s", "Taken for compatibility."),
  flag("cluster.reconnect-interval", "10s", "Taken for compatibility."),
  flag("cluster.reconnect-timeout", "6h0m0s", "Taken for compatibility."),
  flag("cluster.tls-config", "", "Taken for compatibility."),
  flag("cluster.allow-insecure-public-advertise-address-discovery", "false", "Taken for compatibility.", "boolean"),
  flag("cluster.label", "", "Taken for compatibility."),
  flag("log.level", "info", "debug, info, warn or error."),
  flag("log.format", "logfmt", "logfmt or json."),
  flag("enable-feature", "", "Comma list: classic-mode, utf8-strict-mode, and others without effect here."),
  flag("auto-gomemlimit.ratio", "0.9", "Taken for compatibility."),
];

const FEATURES = [
  "alert-names-in-metrics",
  "receiver-name-in-metrics",
  "group-key-in-metrics",
  "classic-mode",
  "utf8-strict-mode",
  "auto-gomemlimit",
  "event-recorder",
];

export interface AlertmanagerFlags {
  configFile: string;
  storagePath: string;
  retentionMs: number;
  maintenanceIntervalMs: number;
  alertGcIntervalMs: number;
  perAlertnameLimit: number;
  startDelayMs: number;
  maxSilences: number;
  maxSilenceBytes: number;
  /** `host` undefined means every interface. */
  listen: readonly { host: string | undefined; port: number }[];
  externalUrl: string;
  routePrefix: string;
  getConcurrency: number;
  logLevel: "debug" | "info" | "warn" | "error";
  logFormat: "logfmt" | "json";
  matcherMode: MatcherMode;
}

/** Reads Alertmanager's command line; throws with the flag's name. */
export function parseAlertmanagerFlags(args: readonly string[]): AlertmanagerFlags {
  const values = readFlags(args);
  const one = (name: string): string =>
    values.get(name)?.at(-1) ?? FLAGS.find((spec) => spec.name === name)?.fallback ?? "";
  for (const name of ["web.config.file", "cluster.peer"]) refuseWhen(name, one(name) !== "");
  refuseWhen("web.timeout", goDuration("web.timeout", one("web.timeout")) !== 0);
  const externalUrl = one("web.external-url").replace(/\/+$/, "");
  if (externalUrl !== "" && !/^https?:\/\//.test(externalUrl))
    throw mistake("web.external-url", "must start with http:// or https://");
  const duration = (name: string) => goDuration(name, one(name));
  const count = (name: string) => whole(name, one(name));
  return {
    configFile: one("config.file"),
    storagePath: one("storage.path"),
    retentionMs: duration("data.retention"),
    maintenanceIntervalMs: duration("data.maintenance-interval"),
    alertGcIntervalMs: duration("alerts.gc-interval"),
    perAlertnameLimit: count("alerts.per-alertname-limit"),
    startDelayMs: duration("dispatch.start-delay"),
    maxSilences: count("silences.max-silences"),
    maxSilenceBytes: count("silences.max-silence-size-bytes"),
    listen: (values.get("web.listen-address") ?? [one("web.listen-address")]).map(parseListenAddress),
    externalUrl,
    routePrefix: routePrefix(one("web.route-prefix"), externalUrl),
    getConcurrency: count("web.get-concurrency"),
    logLevel: oneOf("log.level", one("log.level"), ["debug", "info", "warn", "error"]),
    logFormat: oneOf("log.format", one("log.format"), ["logfmt", "json"]),
    matcherMode: matcherMode(one("enable-feature")),
  };
}

function readFlags(args: readonly string[]): Map<string, string[]> {
  const options = Object.fromEntries(
    FLAGS.map(({ name, kind }) => [
      name,
      { type: kind === "boolean" ? ("boolean" as const) : ("string" as const), multiple: true },
    ]),
  );
  try {
    const { values } = parseArgs({
      args: [...args],
      options,
      strict: true,
      allowPositionals: false,
      allowNegative: true,
    });
    return new Map(Object.entries(values).map(([name, list]) => [name, [list ?? []].flat().map(String)]));
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(". ", 1)[0] : String(error);
    throw new TocsinError("TOCSIN_CONFIG_INVALID", `error parsing commandline arguments: ${reason}`, { cause: error });
  }
}

/** Go prints and takes `1m0s`, where Prometheus' own form has no zero units. */
function goDuration(name: string, text: string): number {
  try {
    return parseDuration(text.replaceAll(/(?<!\d)0[hms](?=\d|$)/g, "") || "0");
  } catch {
    throw mistake(name, `${JSON.stringify(text)} is not a duration; write it like ${formatDuration(90_000)}`);
  }
}

function whole(name: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw mistake(name, `${JSON.stringify(text)} is not a whole number`);
}

function oneOf<T extends string>(name: string, text: string, allowed: readonly T[]): T {
  const found = allowed.find((each) => each === text);
  if (found !== undefined) return found;
  throw mistake(name, `${JSON.stringify(text)} is none of ${allowed.join(", ")}`);
}

function parseListenAddress(text: string): { host: string | undefined; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]*)):(\d+)$/.exec(text);
  if (!match) throw mistake("web.listen-address", `${JSON.stringify(text)} is not host:port`);
  const host = match[1] ?? match[2] ?? "";
  return { host: host === "" ? undefined : host, port: Number(match[3]) };
}

function routePrefix(given: string, externalUrl: string): string {
  const path = given === "" && externalUrl !== "" ? new URL(externalUrl).pathname : given;
  const trimmed = path.replaceAll(/^\/+|\/+$/g, "");
  return trimmed === "" ? "" : `/${trimmed}`;
}

function matcherMode(features: string): MatcherMode {
  const names = features.split(",").filter((name) => name !== "");
  for (const name of names)
    if (!FEATURES.includes(name)) throw mistake("enable-feature", `unknown option ${JSON.stringify(name)}`);
  const classic = names.includes("classic-mode");
  const strict = names.includes("utf8-strict-mode");
  if (classic && strict) throw mistake("enable-feature", "classic-mode and utf8-strict-mode exclude each other");
  if (names.includes("event-recorder"))
    throw mistake("enable-feature", "event-recorder is not built; decisions are at /api/tocsin/v1/decisions");
  return classic ? "classic" : strict ? "utf8" : "default";
}

function refuseWhen(name: string, set: boolean): void {
  if (set) throw mistake(name, "is not built yet; start without it");
}

function mistake(name: string, reason: string): TocsinError {
  return new TocsinError("TOCSIN_CONFIG_INVALID", `--${name}: ${reason}`);
}
