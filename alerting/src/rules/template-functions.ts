import {
  escapeQuery,
  GoFunction,
  goFunction,
  goInt,
  GoMap,
  GoSlice,
  GoStruct,
  type GoType,
  goTypes,
  type GoValue,
  goVariadic,
} from "@tocsin/gotemplate";
import { compareStrings, type Labels, parseDuration, type UnixMs } from "@tocsin/model";
import {
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage,
  humanizeTimestamp,
  match,
  reReplaceAll,
  safeHtml,
  title,
  toDuration,
  toLower,
  toTime,
  toUpper,
} from "../template-functions/index.ts";

/** What `query` gives a template, one element. */
export interface TemplateSample {
  labels: Labels;
  value: number;
}

/** What the functions of one expansion know of the world. */
export interface TemplateScope {
  /** The evaluation's timestamp. */
  atMs: UnixMs;
  externalUrl: string;
  /** Throws when the query failed. */
  query(expr: string): readonly TemplateSample[];
}

const { any, string } = goTypes;
const SAMPLE = "*template.sample";
const RESULT = "template.queryResult";

const sample: GoType<GoStruct> = {
  name: SAMPLE,
  kind: "other",
  nilable: false,
  accepts: (value: GoValue): value is GoStruct => value instanceof GoStruct && value.typeName === SAMPLE,
};
const result: GoType<GoSlice> = {
  name: RESULT,
  kind: "other",
  nilable: true,
  zero: new GoSlice([], RESULT),
  accepts: (value: GoValue): value is GoSlice => value instanceof GoSlice && value.typeName === RESULT,
};

const sampleOf = ({ labels, value }: TemplateSample): GoStruct =>
  new GoStruct(SAMPLE, { Labels: new GoMap(labels, { elem: "string" }), Value: value });

const labelOf = (value: GoValue, name: string): string => {
  const labels = value instanceof GoStruct ? value.fields["Labels"] : undefined;
  const label = labels instanceof GoMap ? labels.entries.get(name) : undefined;
  return typeof label === "string" ? label : "";
};

/** The functions of Prometheus' rule templates. `scope` is asked at each call, so that one set serves every expansion. */
export function ruleTemplateFunctions(scope: () => TemplateScope): Record<string, GoFunction> {
  return {
    args: goVariadic([], any, (...values) => new GoMap(argumentMap(values), { elem: "any" })),
    externalURL: goFunction([], () => scope().externalUrl),
    first: goFunction([result], (vector) => {
      if (vector.items.length === 0) throw new Error("first() called on vector with no elements");
      return vector.items[0];
    }),
    graphLink: goFunction([string], (expr) => `/graph?g0.expr=${escapeQuery(expr)}&g0.tab=0`),
    humanize,
    humanize1024,
    humanizeDuration,
    humanizePercentage,
    humanizeTimestamp,
    label: goFunction([string, sample], (name, element) => labelOf(element, name)),
    match,
    now: goFunction([], () => scope().atMs / 1000),
    parseDuration: goFunction([string], (text) => parseDuration(text) / 1000),
    pathPrefix: goFunction([], () => pathOf(scope().externalUrl)),
    query: goFunction([string], (expr) => new GoSlice(scope().query(expr).map(sampleOf), RESULT)),
    reReplaceAll,
    safeHtml,
    sortByLabel: goFunction(
      [string, result],
      (name, vector) =>
        new GoSlice(
          vector.items.toSorted((a, b) => compareStrings(labelOf(a, name), labelOf(b, name))),
          RESULT,
        ),
    ),
    stripDomain: goFunction([string], stripDomain),
    stripPort: goFunction([string], (address) => splitHostPort(address)?.host ?? address),
    strvalue: goFunction([sample], (element) => labelOf(element, "__value__")),
    tableLink: goFunction([string], (expr) => `/graph?g0.expr=${escapeQuery(expr)}&g0.tab=1`),
    title,
    toDuration,
    toLower,
    toTime,
    toUpper,
    urlQueryEscape: goFunction([string], escapeQuery),
    value: goFunction([sample], (element) => element.fields["Value"]),
  };
}

function argumentMap(values: readonly GoValue[]): Map<string, GoValue> {
  return new Map(values.map((value, i) => [`arg${goInt(i)}`, value]));
}

function pathOf(url: string): string {
  const path = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1];
  return path ?? /^[^?#]*/.exec(url)?.[0] ?? "";
}

function splitHostPort(address: string): { host: string; port: string } | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([^:[\]]*)$/.exec(address);
  return match === null ? undefined : { host: match[1] ?? match[2] ?? "", port: match[3] ?? "" };
}

function stripDomain(address: string): string {
  const parts = splitHostPort(address);
  const host = parts?.host ?? address;
  if (isIpAddress(host)) return address;
  const short = host.split(".", 1)[0] ?? "";
  if (parts === undefined || parts.port === "") return short;
  return short.includes(":") ? `[${short}]:${parts.port}` : `${short}:${parts.port}`;
}

function isIpAddress(host: string): boolean {
  const octets = host.split(".");
  if (octets.length === 4) return octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256);
  return host.includes(":") && URL.canParse(`http://[${host}]/`);
}
