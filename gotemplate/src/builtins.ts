import { sprint, sprintf, sprintln } from "./format.ts";
import { compareGoStrings } from "./order.ts";
import { isPrintable } from "./quote.ts";
import {
  goTypes,
  intOf,
  isTrue,
  kindOf,
  mapEntries,
  mapGet,
  mapHas,
  mapZero,
  sliceItems,
  textOf,
  typeName,
} from "./reflect.ts";
import { GoTime } from "./time.ts";
import { goFunction, GoFunction, GoSlice, type GoType, type GoValue, goVariadic } from "./value.ts";

const { any, string } = goTypes;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Go's own template functions. `and` and `or` stop early and `call` checks its callee: the evaluator does these. */
export const builtins: ReadonlyMap<string, GoFunction> = new Map([
  ["and", goVariadic([any], any, () => undefined)],
  ["or", goVariadic([any], any, () => undefined)],
  ["call", goVariadic([any], any, () => undefined)],
  ["not", goFunction([any], (value) => !isTrue(value))],
  ["len", goFunction([any], lengthOf)],
  ["index", goVariadic([any], any, index)],
  ["slice", goVariadic([any], any, slice)],
  ["print", goVariadic([], any, sprint)],
  ["printf", goVariadic([string], any, sprintf)],
  ["println", goVariadic([], any, sprintln)],
  ["html", goVariadic([], any, (...values) => escapeHtml(printAll(values)))],
  ["js", goVariadic([], any, (...values) => escapeJs(printAll(values)))],
  ["urlquery", goVariadic([], any, (...values) => escapeQuery(printAll(values)))],
  ["eq", goVariadic([any], any, equalsAny)],
  ["ne", goFunction([any, any], (a, b) => !equalsAny(a, b))],
  ["lt", goFunction([any, any], less)],
  ["le", goFunction([any, any], (a, b) => less(a, b) || equalsAny(a, b))],
  ["gt", goFunction([any, any], (a, b) => !(less(a, b) || equalsAny(a, b)))],
  ["ge", goFunction([any, any], (a, b) => !less(a, b))],
]);

/** As printed in a template: no value is `<no value>`, where fmt would say `<nil>`. */
function printAll(values: readonly GoValue[]): string {
  return sprint(...values.map((value) => (value === undefined || value === null ? "<no value>" : value)));
}

function lengthOf(value: GoValue): bigint {
  switch (kindOf(value)) {
    case "string":
      return BigInt(encoder.encode(textOf(value)).length);
    case "slice":
      return BigInt(sliceItems(value)?.length ?? 0);
    case "map":
      return BigInt(mapEntries(value)?.size ?? 0);
    case "invalid":
      throw new Error("len of nil pointer");
    case "bool":
    case "float64":
    case "func":
    case "int":
    case "struct":
      throw new Error(`len of type ${typeName(value)}`);
  }
}

function indexArgument(value: GoValue, limit: number): number {
  if (value === undefined || value === null) throw new Error("cannot index slice/array with nil");
  if (kindOf(value) !== "int") throw new Error(`cannot index slice/array with type ${typeName(value)}`);
  const at = intOf(value);
  if (at < 0n || at > BigInt(limit)) throw new Error(`index out of range: ${at}`);
  return Number(at);
}

function index(item: GoValue, ...indexes: readonly GoValue[]): GoValue {
  if (item === undefined || item === null) throw new Error("index of untyped nil");
  let at: GoValue = item;
  for (const key of indexes) {
    switch (kindOf(at)) {
      case "invalid":
        throw new Error("index of nil pointer");
      case "string": {
        const bytes = encoder.encode(textOf(at));
        const i = indexArgument(key, bytes.length);
        if (i >= bytes.length) throw new Error(`index out of range: ${i}`);
        at = BigInt(bytes[i] ?? 0);
        break;
      }
      case "slice": {
        const items: readonly GoValue[] = sliceItems(at) ?? [];
        const i = indexArgument(key, items.length);
        if (i >= items.length) throw new Error(`reflect: slice index out of range`);
        at = items[i];
        break;
      }
      case "map": {
        if (key === undefined || key === null) throw new Error("value is nil; should be of type string");
        if (typeof key !== "string") throw new Error(`value has type ${typeName(key)}; should be string`);
        at = mapHas(at, key) ? mapGet(at, key) : mapZero(at);
        break;
      }
      case "bool":
      case "float64":
      case "func":
      case "int":
      case "struct":
        throw new Error(`can't index item of type ${typeName(at)}`);
    }
  }
  return at;
}

function slice(item: GoValue, ...indexes: readonly GoValue[]): GoValue {
  if (item === undefined || item === null) throw new Error("slice of untyped nil");
  if (indexes.length > 3) throw new Error(`too many slice indexes: ${indexes.length}`);
  const kind = kindOf(item);
  if (kind === "string" && indexes.length === 3) throw new Error("cannot 3-index slice a string");
  if (kind !== "string" && kind !== "slice") throw new Error(`can't slice item of type ${typeName(item)}`);
  const bytes = encoder.encode(textOf(item));
  const items = sliceItems(item) ?? [];
  const size = kind === "string" ? bytes.length : items.length;
  const [from = 0, to = size, cap = size] = indexes.map((value) => indexArgument(value, size));
  if (from > to) throw new Error(`invalid slice index: ${from} > ${to}`);
  if (to > cap) throw new Error(`invalid slice index: ${to} > ${cap}`);
  if (kind === "string") return decoder.decode(bytes.subarray(from, to));
  const part = items.slice(from, to);
  return item instanceof GoSlice ? new GoSlice(part, item.typeName, item.methods) : part;
}

const BASIC: ReadonlySet<string> = new Set(["bool", "int", "float64", "string"]);

function equalsAny(first: GoValue, ...others: readonly GoValue[]): boolean {
  if (others.length === 0) throw new Error("missing argument for comparison");
  return others.some((other) => equals(first, other));
}

function equals(a: GoValue, b: GoValue): boolean {
  const x = kindOf(a);
  const y = kindOf(b);
  if (x === "invalid" || y === "invalid") return x === y;
  if (BASIC.has(x) && x === y) return scalar(a) === scalar(b);
  if (x !== y) {
    if (BASIC.has(x) || BASIC.has(y))
      throw new Error(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
    throw new Error(`non-comparable types ${sprint(a)}: ${typeName(a)}, ${typeName(b)}: ${sprint(b)}`);
  }
  if (x !== "struct") throw new Error(`non-comparable type ${sprint(b)}: ${typeName(b)}`);
  if (a instanceof GoTime && b instanceof GoTime) return a.unixNano === b.unixNano;
  return a === b;
}

function scalar(value: GoValue): GoValue {
  const kind = kindOf(value);
  return kind === "int" ? intOf(value) : kind === "string" ? textOf(value) : value;
}

function less(a: GoValue, b: GoValue): boolean {
  const x = kindOf(a);
  const y = kindOf(b);
  if (!BASIC.has(x) || !BASIC.has(y)) throw new Error("invalid type for comparison");
  if (x !== y) throw new Error(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
  if (x === "bool") throw new Error("invalid type for comparison");
  if (x === "string") return compareGoStrings(textOf(a), textOf(b)) < 0;
  return x === "int" ? intOf(a) < intOf(b) : (a as number) < (b as number);
}

/** Checks and runs the function given to `call`; `shown` is how the template wrote it. */
export function callFunction(shown: string, fn: GoValue, args: readonly GoValue[]): GoValue {
  if (fn === undefined || fn === null) throw new Error("call of nil");
  if (!(fn instanceof GoFunction)) throw new Error(`non-function ${shown} of type ${typeName(fn)}`);
  const fixed = fn.params.length;
  if (fn.variadic !== undefined && args.length < fixed)
    throw new Error(`wrong number of args for ${shown}: got ${args.length} want at least ${fixed}`);
  if (fn.variadic === undefined && args.length !== fixed)
    throw new Error(`wrong number of args for ${shown}: got ${args.length} want ${fixed}`);
  const values = args.map((arg, i) => {
    const type: GoType<GoValue> = fn.params[i] ?? fn.variadic ?? any;
    const nil = arg === undefined || arg === null;
    if (nil && !type.nilable) throw new Error(`arg ${i}: value is nil; should be of type ${type.name}`);
    if (nil) return type.zero;
    if (!type.accepts(arg)) throw new Error(`arg ${i}: value has type ${typeName(arg)}; should be ${type.name}`);
    return arg;
  });
  return fn.call(...values);
}

const HTML: Readonly<Record<string, string>> = {
  "\0": "\ufffd",
  '"': "&#34;",
  "'": "&#39;",
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
};

/** text/template's HTMLEscapeString. */
export const escapeHtml = (text: string): string => text.replaceAll(/[\0"'&<>]/g, (char) => HTML[char] ?? char);

const JS: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "'": "\\'",
  '"': '\\"',
  "<": "\\u003C",
  ">": "\\u003E",
  "&": "\\u0026",
  "=": "\\u003D",
};

/** text/template's JSEscapeString. */
export function escapeJs(text: string): string {
  let out = "";
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    const known = JS[char];
    if (known !== undefined) out += known;
    else if (code >= 0x20 && (code < 0x80 || isPrintable(char))) out += char;
    else out += `\\u${code.toString(16).toUpperCase().padStart(4, "0")}`;
  }
  return out;
}

/** net/url's QueryEscape: everything but letters, digits and `-_.~`; a space becomes `+`. */
export function escapeQuery(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%20", "+");
}
