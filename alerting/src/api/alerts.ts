import {
  compareStrings,
  labelsEqual,
  matchesAll,
  type CompiledMatcher,
  type Labels,
  type PostableAlert,
  type UnixMs,
} from "@tocsin/model";
import { errorMessage } from "@tocsin/platform";
import type { Alert } from "../alert-store.ts";
import { timestamp } from "../posted-alert.ts";
import { compareAlertLabels, compareLabelSets } from "../route.ts";
import type { AlertRouter } from "../router.ts";
import { ApiError, SCHEMA } from "./api-error.ts";
import { isObject, mistyped, optionalString, optionalStrings, required } from "./body.ts";
import { flag, matchers, receiverPattern, type Query } from "./query.ts";

export interface GettableAlert {
  labels: Labels;
  annotations: Labels;
  startsAt: string;
  endsAt: string;
  updatedAt: string;
  fingerprint: string;
  generatorURL?: string;
  receivers: { name: string }[];
  status: {
    state: "active" | "suppressed";
    silencedBy: readonly string[];
    inhibitedBy: readonly string[];
    mutedBy: readonly string[];
  };
}

export interface GettableAlertGroup {
  labels: Labels;
  routeLabels: Labels;
  receiver: { name: string };
  alerts: GettableAlert[];
}

interface AlertFilter {
  readonly active: boolean;
  readonly silenced: boolean;
  readonly inhibited: boolean;
  readonly labels: readonly CompiledMatcher[];
  readonly receiver: (name: string) => boolean;
}

/** `GET /alerts`: the alerts that have not ended, by fingerprint. */
export function listAlerts(router: AlertRouter, query: Query): GettableAlert[] {
  const filter = readFilter(router, query);
  const at = router.clock.now();
  const shown: GettableAlert[] = [];
  for (const alert of router.alerts()) {
    if (hidden(alert, filter, at)) continue;
    const receivers = router.receiversOf(alert);
    if (!receivers.some(filter.receiver)) continue;
    const gettable = toGettable(router, alert, at, receivers, []);
    if (statusShown(gettable, filter)) shown.push(gettable);
  }
  return shown.sort((a, b) => compareStrings(a.fingerprint, b.fingerprint));
}

/** `GET /alerts/groups`: the groups that still have an alert to show. */
export function listAlertGroups(router: AlertRouter, query: Query): GettableAlertGroup[] {
  const filter = readFilter(router, query);
  const showMuted = flag(query, "muted");
  const at = router.clock.now();
  const groups: GettableAlertGroup[] = [];
  for (const group of router.groups()) {
    const { receiver } = group.route.options;
    if (!filter.receiver(receiver) || (!showMuted && group.mutedBy.length > 0)) continue;
    const alerts: GettableAlert[] = [];
    for (const alert of group.alerts()) {
      if (hidden(alert, filter, at)) continue;
      const gettable = toGettable(router, alert, at, router.receiversOf(alert), group.mutedBy);
      if (statusShown(gettable, filter)) alerts.push(gettable);
    }
    if (alerts.length === 0) continue;
    alerts.sort((a, b) => compareAlertLabels(a.labels, b.labels));
    groups.push({
      labels: group.labels,
      routeLabels: router.routeLabelsOf(group, at),
      receiver: { name: receiver },
      alerts,
    });
  }
  return groups.sort((a, b) =>
    labelsEqual(a.labels, b.labels)
      ? compareStrings(a.receiver.name, b.receiver.name)
      : compareLabelSets(a.labels, b.labels),
  );
}

/** `POST /alerts`. The valid ones are taken in also when others are not; then the answer is 400 with the reasons. */
export async function postAlerts(router: AlertRouter, body: unknown): Promise<void> {
  const { errors } = await router.postAlerts(readPostedAlerts(body));
  if (errors.length > 0) throw ApiError.handler(400, errors.join("; "));
}

function readFilter(router: AlertRouter, query: Query): AlertFilter {
  const byName = receiverPattern(query);
  const byLabels = matchers(query, "receiver_matchers", router.matcherMode);
  const named = new Map(router.config.receivers.map(({ name, labels }) => [name, matchesAll(byLabels, labels)]));
  return {
    active: flag(query, "active"),
    silenced: flag(query, "silenced"),
    inhibited: flag(query, "inhibited"),
    labels: matchers(query, "filter", router.matcherMode),
    receiver: (name) => named.get(name) === true && byName(name),
  };
}

function hidden(alert: Alert, filter: AlertFilter, at: UnixMs): boolean {
  return alert.endsAt < at || !matchesAll(filter.labels, alert.labels);
}

/** The flags go by what mutes the alert itself, whatever time intervals do to its group. */
function statusShown({ status }: GettableAlert, filter: AlertFilter): boolean {
  return (
    (filter.active || status.silencedBy.length + status.inhibitedBy.length > 0) &&
    (filter.silenced || status.silencedBy.length === 0) &&
    (filter.inhibited || status.inhibitedBy.length === 0)
  );
}

function toGettable(
  router: AlertRouter,
  alert: Alert,
  at: UnixMs,
  receivers: readonly string[],
  mutedBy: readonly string[],
): GettableAlert {
  const { silencedBy, inhibitedBy } = router.mutesOf(alert, at);
  const suppressed = silencedBy.length + inhibitedBy.length + mutedBy.length > 0;
  return {
    annotations: alert.annotations,
    endsAt: iso(alert.endsAt),
    fingerprint: alert.fingerprint,
    receivers: receivers.map((name) => ({ name })),
    startsAt: iso(alert.startsAt),
    status: { inhibitedBy, mutedBy, silencedBy, state: suppressed ? "suppressed" : "active" },
    updatedAt: iso(alert.updatedAt),
    ...(alert.generatorURL !== "" && { generatorURL: alert.generatorURL }),
    labels: alert.labels,
  };
}

const iso = (at: UnixMs) => new Date(at).toISOString();

function readPostedAlerts(body: unknown): PostableAlert[] {
  if (body === null || body === undefined) throw required("alerts");
  if (!Array.isArray(body)) throw mistyped("alerts", body, "models.PostableAlerts");
  return body.map((item: unknown, i) => {
    if (!isObject(item)) throw mistyped("alerts", item, "models.PostableAlert");
    const labels = optionalStrings("alerts", item["labels"]);
    const annotations = optionalStrings("alerts", item["annotations"]);
    const startsAt = readDate(item["startsAt"]);
    const endsAt = readDate(item["endsAt"]);
    const generatorURL = optionalString("alerts", item["generatorURL"]);
    if (generatorURL !== undefined && generatorURL !== "" && !isUri(generatorURL))
      throw ApiError.schema(
        SCHEMA.type,
        `${i}.generatorURL in body must be of type uri: ${JSON.stringify(generatorURL)}`,
      );
    if (labels === undefined) throw required(`${i}.labels`);
    return {
      labels,
      ...(annotations && { annotations }),
      ...(startsAt !== undefined && { startsAt }),
      ...(endsAt !== undefined && { endsAt }),
      ...(generatorURL !== undefined && { generatorURL }),
    };
  });
}

function readDate(value: unknown): string | undefined {
  const text = optionalString("alerts", value);
  try {
    timestamp(text);
    return text;
  } catch (error) {
    throw ApiError.schema(400, `parsing alerts body from "" failed, because ${errorMessage(error)}`);
  }
}

/** What Go takes for a request URI: absolute, or a path. */
function isUri(text: string): boolean {
  return URL.canParse(text) || (text.startsWith("/") && URL.canParse(text, "http://host"));
}
