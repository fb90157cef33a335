import {
  fingerprint,
  isLabelName,
  type Labels,
  type MatcherMode,
  type PostableAlert,
  type UnixMs,
} from "@tocsin/model";
import type { Alert } from "./alert-store.ts";

export interface ReceiveOptions {
  readonly at: UnixMs;
  readonly resolveTimeoutMs: number;
  readonly mode: MatcherMode;
}

/** Reads an alert as it was posted. Throws an Error that says why it is invalid. */
export function receiveAlert(posted: PostableAlert, { at, resolveTimeoutMs, mode }: ReceiveOptions): Alert {
  const labels = withoutEmpty(posted.labels);
  checkLabels(labels, mode);
  checkAnnotations(posted.annotations ?? {}, mode);
  const given = { startsAt: timestamp(posted.startsAt), endsAt: timestamp(posted.endsAt) };
  const startsAt = given.startsAt ?? given.endsAt ?? at;
  const endsAt = given.endsAt ?? at + resolveTimeoutMs;
  if (startsAt > endsAt) throw new Error("start time must be before end time");
  return {
    fingerprint: fingerprint(labels),
    labels,
    annotations: posted.annotations ?? {},
    startsAt,
    endsAt,
    updatedAt: at,
    timeout: given.endsAt === undefined,
    generatorURL: posted.generatorURL ?? "",
  };
}

function withoutEmpty(labels: Labels): Labels {
  for (const name in labels) {
    if (labels[name] === "") return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ""));
  }
  return labels;
}

function checkLabels(labels: Labels, mode: MatcherMode): void {
  let any = false;
  for (const name in labels) {
    any = true;
    if (!isLabelName(name, mode)) throw new Error(`invalid label set: invalid name ${JSON.stringify(name)}`);
    if (!(labels[name] as string).isWellFormed())
      throw new Error(`invalid label set: invalid value of ${JSON.stringify(name)}`);
  }
  if (!any) throw new Error("at least one label pair required");
}

function checkAnnotations(annotations: Labels, mode: MatcherMode): void {
  for (const name in annotations) {
    if (!isLabelName(name, mode)) throw new Error(`invalid annotations: invalid name ${JSON.stringify(name)}`);
  }
}

const ZERO_TIME = Date.parse("0001-01-01T00:00:00.000Z");
const TIMESTAMP =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?(?:([Zz])|([+-]\d\d):?(\d\d))?)?$/;

/**
 * Reads a time as API v2 takes it: RFC 3339 with any precision, also without a zone (UTC) or a date only. Go's zero
 * time counts as none. Throws an Error for anything else.
 */
export function timestamp(text: string | undefined): UnixMs | undefined {
  if (text === undefined || text === "") return undefined;
  const match = TIMESTAMP.exec(text);
  const at = match ? Date.parse(normalised(match)) : Number.NaN;
  if (Number.isNaN(at)) throw new Error(`cannot parse ${JSON.stringify(text)} as a time`);
  return at === ZERO_TIME ? undefined : at;
}

function normalised(match: RegExpExecArray): string {
  const [, year, month, day, hour = "00", minute = "00", second = "00", fraction = "0", , offset, offsetMinutes] =
    match;
  const zone = offset === undefined ? "Z" : `${offset}:${offsetMinutes}`;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, "0")}${zone}`;
}
