import { GoMap, GoSlice, GoStruct, GoTime, goFunction, goTypes, type GoValue } from "@tocsin/gotemplate";
import { compareStrings, type Labels, type UnixMs } from "@tocsin/model";
import { withStatus, type FlushedAlert, type Notification } from "./notification.ts";

/** What templates and payloads see of a notification, before it takes a form of its own. */
export interface NotificationData {
  /** Quoted for use in a regular expression, as links into the alert list need it. */
  readonly receiver: string;
  readonly status: "firing" | "resolved";
  readonly alerts: readonly FlushedAlert[];
  readonly reason: string;
  readonly groupLabels: Labels;
  readonly commonLabels: Labels;
  readonly commonAnnotations: Labels;
  readonly routeLabels: Labels;
  readonly externalUrl: string;
}

export function notificationData(
  notification: Pick<Notification, "receiver" | "reason" | "groupLabels" | "routeLabels" | "alerts">,
  externalUrl: string,
): NotificationData {
  const { alerts, groupLabels, routeLabels, reason } = notification;
  return {
    receiver: quoteMeta(notification.receiver),
    status: alerts.some(({ status }) => status === "firing") ? "firing" : "resolved",
    alerts,
    reason,
    groupLabels,
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    routeLabels,
    externalUrl,
  };
}

function common(sets: readonly Labels[]): Labels {
  const [first = {}, ...rest] = sets;
  return Object.fromEntries(Object.entries(first).filter(([name, value]) => rest.every((set) => set[name] === value)));
}

/** Go's regexp.QuoteMeta. */
function quoteMeta(text: string): string {
  return text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`);
}

/** An alert that fires has Go's zero time as its end. */
const goTime = (at: UnixMs | undefined): GoTime => (at === undefined ? GoTime.zero : GoTime.fromMs(at));

/** The data in the form of Go values, with the names and methods that Alertmanager's templates use. */
export function templateData(data: NotificationData): GoStruct {
  return new GoStruct("template.Data", {
    Receiver: data.receiver,
    Status: data.status,
    Alerts: alertList(data.alerts),
    NotificationReason: data.reason,
    GroupLabels: keyValues(data.groupLabels),
    CommonLabels: keyValues(data.commonLabels),
    CommonAnnotations: keyValues(data.commonAnnotations),
    RouteLabels: keyValues(data.routeLabels),
    ExternalURL: data.externalUrl,
  });
}

function alertList(alerts: readonly FlushedAlert[]): GoSlice {
  return new GoSlice(alerts.map(alertData), "template.Alerts", {
    Firing: goFunction([], () => alertList(withStatus(alerts, "firing"))),
    Resolved: goFunction([], () => alertList(withStatus(alerts, "resolved"))),
  });
}

function alertData(alert: FlushedAlert): GoStruct {
  return new GoStruct("template.Alert", {
    Status: alert.status,
    Labels: keyValues(alert.labels),
    Annotations: keyValues(alert.annotations),
    StartsAt: goTime(alert.startsAt),
    EndsAt: goTime(alert.endsAt),
    GeneratorURL: alert.generatorURL,
    Fingerprint: alert.fingerprint,
  });
}

type Pair = readonly [name: string, value: string];

/** A label set as templates know it. */
function keyValues(labels: Labels): GoMap {
  const pairs = sortedPairs(labels);
  return new GoMap(labels, {
    elem: "string",
    typeName: "template.KV",
    methods: {
      SortedPairs: goFunction([], () => pairList(pairs)),
      Names: goFunction([], () => stringList(pairs.map(([name]) => name))),
      Values: goFunction([], () => stringList(pairs.map(([, value]) => value))),
      Remove: goFunction([goTypes.any], (names) => {
        const gone = new Set(texts(names));
        return keyValues(Object.fromEntries(pairs.filter(([name]) => !gone.has(name))));
      }),
      String: goFunction([], () => pairs.map(([name, value]) => `${name}=${value}`).join(", ")),
    },
  });
}

/** The alertname first, then by name. */
function sortedPairs(labels: Labels): Pair[] {
  const rank = (name: string) => (name === "alertname" ? 0 : 1);
  return Object.entries(labels).sort(([a], [b]) => rank(a) - rank(b) || compareStrings(a, b));
}

function pairList(pairs: readonly Pair[]): GoSlice {
  const items = pairs.map(([name, value]) => new GoStruct("template.Pair", { Name: name, Value: value }));
  return new GoSlice(items, "template.Pairs", {
    Names: goFunction([], () => stringList(pairs.map(([name]) => name))),
    Values: goFunction([], () => stringList(pairs.map(([, value]) => value))),
    String: goFunction([], () => pairs.map(([name, value]) => `${name}=${value}`).join(", ")),
  });
}

function stringList(items: readonly string[]): GoSlice {
  return new GoSlice(items, "[]string", { Join: goFunction([goTypes.string], (separator) => items.join(separator)) });
}

/** The items of a list of strings; throws an Error when it is something else. */
export function texts(value: GoValue): string[] {
  const items = value instanceof GoSlice ? value.items : value;
  if (!Array.isArray(items)) throw new Error("expected a list of strings");
  return items.map((item: GoValue) => {
    if (typeof item !== "string") throw new Error("expected a list of strings");
    return item;
  });
}
