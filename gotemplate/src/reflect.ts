import { GoDuration, GoTime, GoZone } from "./time.ts";
import {
  elemOf,
  goFunction,
  GoFunction,
  GoMap,
  type GoMethods,
  GoSlice,
  GoStruct,
  type GoType,
  type GoValue,
  mapTypeName,
  SafeContent,
} from "./value.ts";
import { compareGoStrings } from "./order.ts";

/** The kinds of Go values that templates tell apart. */
export type Kind = "invalid" | "bool" | "int" | "float64" | "string" | "map" | "slice" | "struct" | "func";

const BASIC_KINDS: ReadonlyMap<string, "bool" | "int" | "float64" | "string"> = new Map([
  ["boolean", "bool"],
  ["bigint", "int"],
  ["number", "float64"],
  ["string", "string"],
]);

export function kindOf(value: GoValue): Kind {
  const basic = BASIC_KINDS.get(typeof value);
  if (basic !== undefined) return basic;
  if (value === undefined || value === null) return "invalid";
  if (value instanceof SafeContent) return "string";
  if (value instanceof GoDuration) return "int";
  if (value instanceof GoFunction) return "func";
  if (value instanceof GoTime || value instanceof GoStruct) return "struct";
  if (value instanceof GoSlice || Array.isArray(value)) return "slice";
  return "map";
}

/** The Go type of a value, as errors and `%T` show it. */
export function typeName(value: GoValue): string {
  const basic = BASIC_KINDS.get(typeof value);
  if (basic !== undefined) return basic;
  if (value === null) return "interface {}";
  if (value === undefined) return "<nil>";
  if (value instanceof SafeContent) return `template.${value.kind}`;
  if (value instanceof GoTime) return "time.Time";
  if (value instanceof GoDuration) return "time.Duration";
  if (value instanceof GoMap || value instanceof GoSlice || value instanceof GoStruct) return value.typeName;
  if (value instanceof GoFunction) return functionTypeName(value);
  const items = sliceItems(value);
  if (items !== undefined)
    return items.length > 0 && items.every((item) => typeof item === "string") ? "[]string" : "[]interface {}";
  return mapTypeName(elemOf(mapEntries(value) ?? new Map()));
}

function functionTypeName(fn: GoFunction): string {
  const params = fn.params.map((param) => param.name);
  if (fn.variadic !== undefined) params.push(`...${fn.variadic.name}`);
  return `func(${params.join(", ")}) interface {}`;
}

/** The items when the value is a slice. */
export function sliceItems(value: GoValue): readonly GoValue[] | undefined {
  if (value instanceof GoSlice) return value.items;
  return Array.isArray(value) ? (value as readonly GoValue[]) : undefined;
}

/** The entries when the value is a map, in no particular order. */
export function mapEntries(value: GoValue): ReadonlyMap<string, GoValue> | undefined {
  if (value instanceof GoMap) return value.entries;
  if (value instanceof Map) return value as ReadonlyMap<string, GoValue>;
  if (!isPlainObject(value)) return undefined;
  return new Map(Object.entries(value));
}

/** One entry of a map; undefined when there is none (or no map). */
export function mapGet(value: GoValue, key: string): GoValue {
  if (value instanceof GoMap) return value.entries.get(key);
  if (value instanceof Map) return (value as ReadonlyMap<string, GoValue>).get(key);
  return isPlainObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function mapHas(value: GoValue, key: string): boolean {
  if (value instanceof GoMap) return value.entries.has(key);
  if (value instanceof Map) return value.has(key);
  return isPlainObject(value) && Object.hasOwn(value, key);
}

/** The zero value of a map's elements: `""`, or a nil interface. */
export function mapZero(value: GoValue): GoValue {
  const elem = value instanceof GoMap ? value.elem : elemOf(mapEntries(value) ?? new Map());
  return elem === "string" ? "" : null;
}

/** The entries of a map in the order in which Go prints and ranges over them. */
export function sortedEntries(entries: ReadonlyMap<string, GoValue>): [string, GoValue][] {
  return [...entries].sort(([a], [b]) => compareGoStrings(a, b));
}

function isPlainObject(value: GoValue): value is { readonly [key: string]: GoValue } {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Truth as `if` sees it: not the zero value of its type. Structs are always true. */
export function isTrue(value: GoValue): boolean {
  switch (kindOf(value)) {
    case "invalid":
      return false;
    case "struct":
    case "func":
      return true;
    case "bool":
      return value === true;
    case "float64":
      return value !== 0;
    case "int":
      return intOf(value) !== 0n;
    case "string":
      return textOf(value) !== "";
    case "slice":
      return (sliceItems(value)?.length ?? 0) > 0;
    case "map":
      return (mapEntries(value)?.size ?? 0) > 0;
  }
}

/** The number of an int or duration. */
export function intOf(value: GoValue): bigint {
  if (typeof value === "bigint") return value;
  return value instanceof GoDuration ? value.nanos : 0n;
}

/** The text of a string or of safe content. */
export function textOf(value: GoValue): string {
  if (typeof value === "string") return value;
  return value instanceof SafeContent ? value.text : "";
}

const other = <T extends GoValue>(name: string, accepts: (value: GoValue) => value is T): GoType<T> => ({
  name,
  kind: "other",
  nilable: false,
  accepts,
});
const sliceOf = <T extends GoValue>(name: string, accepts: (value: GoValue) => value is T): GoType<T> => ({
  ...other(name, accepts),
  nilable: true,
  zero: [],
});
const isStrings = (value: GoValue): value is readonly string[] =>
  Array.isArray(value) && (value as readonly GoValue[]).every((item) => typeof item === "string");

/** The parameter types of goFunction. */
export const goTypes = {
  any: {
    name: "interface {}",
    kind: "any",
    nilable: true,
    accepts: (_value: GoValue): _value is GoValue => true,
  } as GoType<GoValue>,
  string: {
    name: "string",
    kind: "string",
    nilable: false,
    accepts: (value: GoValue): value is string => typeof value === "string",
  } as GoType<string>,
  int: {
    name: "int",
    kind: "int",
    nilable: false,
    accepts: (value: GoValue): value is bigint => typeof value === "bigint",
  } as GoType<bigint>,
  float64: {
    name: "float64",
    kind: "float64",
    nilable: false,
    accepts: (value: GoValue): value is number => typeof value === "number",
  } as GoType<number>,
  bool: {
    name: "bool",
    kind: "bool",
    nilable: false,
    accepts: (value: GoValue): value is boolean => typeof value === "boolean",
  } as GoType<boolean>,
  time: other("time.Time", (value): value is GoTime => value instanceof GoTime),
  duration: other("time.Duration", (value): value is GoDuration => value instanceof GoDuration),
  /** `[]string`; a slice of anything is refused unless all its items are strings. */
  strings: sliceOf("[]string", isStrings),
  /** `[]interface {}`: any slice. */
  slice: sliceOf("[]interface {}", (value): value is readonly GoValue[] | GoSlice => sliceItems(value) !== undefined),
} as const;

/** The methods of a value. Times and durations have those of Go that make sense in a template. */
export function methodOf(value: GoValue, name: string): GoFunction | undefined {
  if (value instanceof GoMap || value instanceof GoSlice || value instanceof GoStruct)
    return Object.hasOwn(value.methods, name) ? value.methods[name] : undefined;
  if (value instanceof GoTime) return own(timeMethods(value), name);
  if (value instanceof GoDuration) return own(durationMethods(value), name);
  return undefined;
}

const own = (methods: GoMethods, name: string): GoFunction | undefined =>
  Object.hasOwn(methods, name) ? methods[name] : undefined;

const { string, time, duration } = goTypes;
const MONTH_NAME = "January";

function timeMethods(t: GoTime): GoMethods {
  const civil = t.civil();
  return {
    Add: goFunction([duration], (d) => t.add(d)),
    After: goFunction([time], (u) => t.unixNano > u.unixNano),
    Before: goFunction([time], (u) => t.unixNano < u.unixNano),
    Compare: goFunction([time], (u) => (t.unixNano < u.unixNano ? -1n : t.unixNano > u.unixNano ? 1n : 0n)),
    Day: goFunction([], () => BigInt(civil.day)),
    Equal: goFunction([time], (u) => t.unixNano === u.unixNano),
    Format: goFunction([string], (layout) => t.format(layout)),
    Hour: goFunction([], () => BigInt(civil.hour)),
    IsZero: goFunction([], () => t.isZero()),
    Local: goFunction([], () => t),
    Minute: goFunction([], () => BigInt(civil.minute)),
    Month: goFunction([], () => new GoStruct("time.Month", {}, { String: goFunction([], () => t.format(MONTH_NAME)) })),
    Nanosecond: goFunction([], () => BigInt(civil.nano)),
    Second: goFunction([], () => BigInt(civil.second)),
    String: goFunction([], () => t.toString()),
    Sub: goFunction([time], (u) => t.sub(u)),
    UTC: goFunction([], () => t.in(new GoZone("UTC"))),
    Unix: goFunction([], () => t.unixSeconds),
    UnixMilli: goFunction([], () => t.unixSeconds * 1000n + BigInt(Math.floor(civil.nano / 1e6))),
    UnixNano: goFunction([], () => t.unixNano),
    Weekday: goFunction(
      [],
      () => new GoStruct("time.Weekday", {}, { String: goFunction([], () => t.format("Monday")) }),
    ),
    Year: goFunction([], () => BigInt(civil.year)),
    YearDay: goFunction([], () => BigInt(civil.yearDay)),
  };
}

function durationMethods(d: GoDuration): GoMethods {
  const rounded = (unit: GoDuration, half: boolean): GoDuration => {
    if (unit.nanos <= 0n) return d;
    const size = d.nanos < 0n ? -d.nanos : d.nanos;
    const down = size - (size % unit.nanos);
    const up = half && (size % unit.nanos) * 2n >= unit.nanos ? unit.nanos : 0n;
    return new GoDuration(d.nanos < 0n ? -(down + up) : down + up);
  };
  return {
    Abs: goFunction([], () => new GoDuration(d.nanos < 0n ? -d.nanos : d.nanos)),
    Hours: goFunction([], () => d.seconds / 3600),
    Microseconds: goFunction([], () => d.nanos / 1000n),
    Milliseconds: goFunction([], () => d.nanos / 1_000_000n),
    Minutes: goFunction([], () => d.seconds / 60),
    Nanoseconds: goFunction([], () => d.nanos),
    Round: goFunction([duration], (unit) => rounded(unit, true)),
    Seconds: goFunction([], () => d.seconds),
    String: goFunction([], () => d.toString()),
    Truncate: goFunction([duration], (unit) => rounded(unit, false)),
  };
}
