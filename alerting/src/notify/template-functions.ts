import {
  formatValue,
  GoFunction,
  goFunction,
  GoMap,
  GoSlice,
  GoStruct,
  GoTime,
  goTypes,
  goVariadic,
  GoZone,
  GoDuration,
  mapEntries,
  parseGoTime,
  safeUrl,
  sliceItems,
  typeName,
  type GoValue,
} from "@tocsin/gotemplate";
import type { UnixMs } from "@tocsin/model";
import {
  humanizeDuration,
  match,
  reReplaceAll,
  safeHtml,
  title,
  toLower,
  toUpper,
} from "../template-functions/index.ts";
import { texts } from "./template-data.ts";

const { any, string, time } = goTypes;

export interface FunctionContext {
  readonly now: () => UnixMs;
  /** The value of a route label of the notification that is being rendered. */
  readonly routeLabel: (name: string) => string;
}

/** What notification templates may call besides Go's own functions. */
export function notificationFunctions({ now, routeLabel }: FunctionContext): Readonly<Record<string, GoFunction>> {
  return {
    toUpper,
    toLower,
    title,
    match,
    reReplaceAll,
    safeHtml,
    humanizeDuration,
    trimSpace: goFunction([string], (text) => text.trim()),
    join: goFunction([string, any], (separator, list) => texts(list).join(separator)),
    safeUrl: goFunction([string], safeUrl),
    urlUnescape: goFunction([string], (text) => decodeURIComponent(text.replaceAll("+", " "))),
    stringSlice: goVariadic([], string, (...items: string[]) => new GoSlice(items, "[]string")),
    date: goFunction([string, time], (layout, at) => at.format(layout)),
    tz: goFunction([string, time], (name, at) => at.in(new GoZone(name))),
    now: goFunction([], () => GoTime.fromMs(now())),
    since: goFunction([time], (at) => GoTime.fromMs(now()).sub(at)),
    toDate: goFunction([string, string], (layout, text) => parsedOrZero(layout, text)),
    mustToDate: goFunction([string, string], parseGoTime),
    toJson: goFunction([any], goJson),
    base64encode: goFunction([string], (text) =>
      Buffer.from(text, "utf8").toString("base64url").padEnd(padded(text), "="),
    ),
    base64decode: goFunction([string], decodeBase64),
    list: goVariadic([], any, (...items: GoValue[]) => items),
    append: goVariadic([any], any, (list, ...items: GoValue[]) => [...listItems(list), ...items]),
    dict: goVariadic([], any, (...pairs: GoValue[]) => dict(pairs)),
    routeLabels: goFunction([string], routeLabel),
  };
}

const padded = (text: string) => Math.ceil(Buffer.byteLength(text) / 3) * 4;

function decodeBase64(text: string): string {
  if (!/^[\w-]*={0,2}$/.test(text) || text.length % 4 !== 0) throw new Error("illegal base64 data");
  return Buffer.from(text, "base64url").toString("utf8");
}

function parsedOrZero(layout: string, text: string): GoTime {
  try {
    return parseGoTime(layout, text);
  } catch {
    // toDate gives the zero time where mustToDate gives the error.
    return GoTime.zero;
  }
}

function listItems(list: GoValue): readonly GoValue[] {
  const items = sliceItems(list);
  if (items === undefined) throw new Error(`cannot append to ${typeName(list)}`);
  return items;
}

function dict(pairs: readonly GoValue[]): GoMap {
  if (pairs.length % 2 !== 0) throw new Error("dict needs an even number of arguments");
  const entries = new Map<string, GoValue>();
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i];
    if (typeof key !== "string") throw new Error("dict keys must be strings");
    entries.set(key, pairs[i + 1]);
  }
  return new GoMap(entries, { elem: "any" });
}

/** JSON as Go's encoder writes it: keys in order, `<>&` escaped, struct fields by their wire names. */
function goJson(value: GoValue): string {
  return escapeJson(JSON.stringify(plain(value)));
}

/** Escapes what Go's encoder escapes and JSON.stringify does not. */
export function escapeJson(json: string): string {
  return json.replaceAll(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function plain(value: GoValue): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return Number(value);
  if (value instanceof GoTime) return value.format("2006-01-02T15:04:05.999999999Z07:00");
  if (value instanceof GoDuration) return Number(value.nanos);
  if (value instanceof GoStruct)
    return Object.fromEntries(Object.entries(value.fields).map(([name, item]) => [wireName(value, name), plain(item)]));
  const items = sliceItems(value);
  if (items) return items.map(plain);
  const entries = mapEntries(value);
  if (entries)
    return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([k, v]) => [k, plain(v)]));
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? value
    : formatValue(value);
}

/** `GroupLabels` → `groupLabels`, for the structs that have wire names in Alertmanager. */
function wireName(struct: GoStruct, field: string): string {
  if (struct.typeName === "template.Pair") return field;
  return WIRE_NAMES[field] ?? field.charAt(0).toLowerCase() + field.slice(1);
}

const WIRE_NAMES: Readonly<Record<string, string>> = {
  NotificationReason: "notification_reason",
  ExternalURL: "externalURL",
  GeneratorURL: "generatorURL",
};
