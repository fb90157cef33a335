import { formatFloat } from "./float.ts";
import { isPrintable, quote } from "./quote.ts";
import { intOf, kindOf, mapEntries, methodOf, sliceItems, sortedEntries, textOf, typeName } from "./reflect.ts";
import { GoDuration, GoTime } from "./time.ts";
import { GoStruct, type GoValue, SafeContent } from "./value.ts";

/** Go refuses widths and precisions beyond this. */
const MAX_WIDTH = 1_000_000;
const MAX_NESTING = 100;

interface Flags {
  plus: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  width: number | undefined;
  precision: number | undefined;
}

const PLAIN: Flags = {
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  width: undefined,
  precision: undefined,
};

/** fmt.Sprint: values in their `%v` form, with spaces between two operands when neither is a string. */
export function sprint(...values: readonly GoValue[]): string {
  let out = "";
  for (const [i, value] of values.entries()) {
    if (i > 0 && !isText(value) && !isText(values[i - 1])) out += " ";
    out += formatValue(value);
  }
  return out;
}

const isText = (value: GoValue) => kindOf(value) === "string";

/** fmt.Sprintln: always spaces between, and a newline. */
export function sprintln(...values: readonly GoValue[]): string {
  return `${values.map((value) => formatValue(value)).join(" ")}\n`;
}

/** A value as Go's `%v` prints it. */
export function formatValue(value: GoValue): string {
  return formatVerb(value, "v", PLAIN, 0);
}

/** fmt.Sprintf, with Go's notes about wrong verbs and arguments in the text (`%!d(string=hi)`). */
export function sprintf(format: string, ...values: readonly GoValue[]): string {
  let out = "";
  let next = 0;
  let reordered = false;
  let i = 0;
  const argument = (): GoValue => values[next++];
  while (i < format.length) {
    const percent = format.indexOf("%", i);
    if (percent < 0) return finish(out + format.slice(i));
    out += format.slice(i, percent);
    i = percent + 1;
    const flags: Flags = { ...PLAIN };
    for (; i < format.length; i++) {
      const char = format[i];
      if (char === "+") flags.plus = true;
      else if (char === "-") flags.minus = true;
      else if (char === "#") flags.sharp = true;
      else if (char === " ") flags.space = true;
      else if (char === "0") flags.zero = true;
      else break;
    }
    let badIndex = false;
    const index = (): void => {
      const match = /^\[(\d*)\]/.exec(format.slice(i));
      if (match === null) {
        if (format[i] === "[") badIndex = true;
        return;
      }
      i += match[0].length;
      reordered = true;
      const wanted = Number(match[1] === "" ? "0" : match[1]);
      if (wanted < 1 || wanted > values.length) badIndex = true;
      else next = wanted - 1;
    };
    const number = (): number | "bad" | undefined => {
      if (format[i] === "*") {
        i++;
        const value = next < values.length ? argument() : undefined;
        if (kindOf(value) !== "int" || typeof value !== "bigint") return "bad";
        return value > BigInt(MAX_WIDTH) || value < BigInt(-MAX_WIDTH) ? "bad" : Number(value);
      }
      const digits = /^\d+/.exec(format.slice(i))?.[0];
      if (digits === undefined) return undefined;
      i += digits.length;
      return Number(digits) > MAX_WIDTH ? "bad" : Number(digits);
    };
    index();
    const width = number();
    if (width === "bad") out += "%!(BADWIDTH)";
    else if (width !== undefined) {
      flags.width = Math.abs(width);
      if (width < 0) flags.minus = true;
    }
    if (format[i] === ".") {
      i++;
      index();
      const precision = number();
      if (precision === "bad" || (precision !== undefined && precision < 0)) out += "%!(BADPREC)";
      else flags.precision = precision ?? 0;
    }
    index();
    if (i >= format.length) return finish(`${out}%!(NOVERB)`);
    const verb = String.fromCodePoint(format.codePointAt(i) ?? 0);
    i += verb.length;
    if (verb === "%") out += "%";
    else if (badIndex) out += `%!${verb}(BADINDEX)`;
    else if (next >= values.length) out += `%!${verb}(MISSING)`;
    else out += formatVerb(argument(), verb, flags, 0);
  }
  return finish(out);

  function finish(text: string): string {
    if (reordered || next >= values.length) return text;
    const extra = values
      .slice(next)
      .map((value) => (value === undefined || value === null ? "<nil>" : `${typeName(value)}=${formatValue(value)}`));
    return `${text}%!(EXTRA ${extra.join(", ")})`;
  }
}

function bad(value: GoValue, verb: string): string {
  if (value === undefined || value === null) return `%!${verb}(<nil>)`;
  return `%!${verb}(${typeName(value)}=${formatValue(value)})`;
}

function formatVerb(value: GoValue, verb: string, flags: Flags, depth: number): string {
  if (depth > MAX_NESTING) throw new Error("value is nested too deeply to print");
  if (verb === "T") return padText(typeName(value ?? undefined), flags);
  // In %+v and %#v the flags ask for names and syntax, not for signs.
  const scalar = verb === "v" && (flags.plus || flags.sharp) ? { ...flags, plus: false, sharp: false } : flags;
  if (value === undefined || value === null) return verb === "v" ? padText("<nil>", flags) : bad(value, verb);
  const text = stringForm(value, verb);
  if (text !== undefined) return formatString(text, value, verb, flags);
  switch (kindOf(value)) {
    case "bool":
      return verb === "t" || verb === "v" ? padText(value === true ? "true" : "false", flags) : bad(value, verb);
    case "int":
      return formatInt(intOf(value), value, verb, scalar);
    case "float64":
      return formatNumber(value as number, verb, scalar);
    case "string":
      return formatString(textOf(value), value, verb, flags);
    case "slice":
      return `[${(sliceItems(value) ?? []).map((item) => formatVerb(item, verb, flags, depth + 1)).join(" ")}]`;
    case "map":
      return `map[${sortedEntries(mapEntries(value) ?? new Map())
        .map(([key, item]) => `${formatVerb(key, verb, flags, depth + 1)}:${formatVerb(item, verb, flags, depth + 1)}`)
        .join(" ")}]`;
    case "struct":
      return formatStruct(value, verb, flags, depth);
    case "func":
    case "invalid":
      return verb === "v" ? padText("0x1", flags) : bad(value, verb);
  }
}

/** What the value's own String method says, for the verbs that ask it. */
function stringForm(value: GoValue, verb: string): string | undefined {
  if (!"vsxXq".includes(verb)) return undefined;
  if (value instanceof GoTime || value instanceof GoDuration) return value.toString();
  if (typeof value !== "object") return undefined;
  const method = methodOf(value, "String");
  if (method === undefined) return undefined;
  const text = method.call();
  return typeof text === "string" ? text : undefined;
}

function formatStruct(value: GoValue, verb: string, flags: Flags, depth: number): string {
  const fields = value instanceof GoStruct ? Object.entries(value.fields) : [];
  const named = verb === "v" && (flags.plus || flags.sharp);
  const items = fields.map(([name, field]) => `${named ? `${name}:` : ""}${formatVerb(field, verb, flags, depth + 1)}`);
  return `{${items.join(" ")}}`;
}

function formatString(text: string, value: GoValue, verb: string, flags: Flags): string {
  switch (verb) {
    case "v":
      return flags.sharp ? padText(quote(text), flags) : padText(cut(text, flags), flags);
    case "s":
      return padText(cut(text, flags), flags);
    case "q":
      if (flags.sharp && !/[`\n\r]/.test(text)) return padText(`\`${cut(text, flags)}\``, flags);
      return padText(quote(cut(text, flags), '"', flags.plus), flags);
    case "x":
    case "X":
      return padText(hex(text, verb === "X", flags), flags);
    default:
      return value instanceof SafeContent || typeof value === "string" ? bad(value, verb) : bad(text, verb);
  }
}

const encoder = new TextEncoder();

function hex(text: string, upper: boolean, flags: Flags): string {
  const bytes = encoder.encode(text).subarray(0, flags.precision);
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, "0"));
  const prefix = flags.sharp ? "0x" : "";
  const joined = flags.space ? digits.map((pair) => prefix + pair).join(" ") : prefix + digits.join("");
  return upper ? joined.toUpperCase() : joined;
}

/** Cuts to the precision, which counts characters. */
function cut(text: string, flags: Flags): string {
  if (flags.precision === undefined || text.length <= flags.precision) return text;
  return Array.from(text).slice(0, flags.precision).join("");
}

function padText(text: string, flags: Flags): string {
  if (flags.width === undefined) return text;
  const missing = flags.width - Array.from(text).length;
  if (missing <= 0) return text;
  if (flags.minus) return text + " ".repeat(missing);
  return (flags.zero ? "0" : " ").repeat(missing) + text;
}

/** Pads a number: zeros go between the sign and the digits. */
function padNumber(text: string, flags: Flags, zeros: boolean): string {
  if (!flags.zero || flags.minus || !zeros || flags.width === undefined)
    return padText(text, { ...flags, zero: false });
  const sign = /^[+\- ]/.exec(text)?.[0] ?? "";
  return sign + text.slice(sign.length).padStart(flags.width - sign.length, "0");
}

const RADIX: Readonly<Record<string, number>> = { d: 10, v: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };
const PREFIX: Readonly<Record<string, string>> = { b: "0b", o: "0", O: "0o", x: "0x", X: "0X" };

function formatInt(number: bigint, value: GoValue, verb: string, flags: Flags): string {
  const radix = RADIX[verb];
  if (radix !== undefined) {
    const size = number < 0n ? -number : number;
    const sign = number < 0n ? "-" : flags.plus ? "+" : flags.space ? " " : "";
    if (flags.precision === 0 && number === 0n) return padText("", { ...flags, zero: false });
    let digits = size.toString(radix);
    if (verb === "X") digits = digits.toUpperCase();
    if (flags.precision !== undefined) digits = digits.padStart(flags.precision, "0");
    if (flags.sharp || verb === "O") digits = (PREFIX[verb] ?? "") + digits;
    return padNumber(sign + digits, flags, flags.precision === undefined);
  }
  if (verb === "c") return padText(charOf(number), flags);
  if (verb === "q") return padText(quote(charOf(number), "'", flags.plus), flags);
  if (verb === "U") {
    const code = `U+${number.toString(16).toUpperCase().padStart(4, "0")}`;
    return padText(flags.sharp && isPrintable(charOf(number)) ? `${code} '${charOf(number)}'` : code, flags);
  }
  return bad(value, verb);
}

const charOf = (code: bigint): string =>
  code < 0n || code > 0x10ffffn ? "\ufffd" : String.fromCodePoint(Number(code));

function formatNumber(number: number, verb: string, flags: Flags): string {
  if (!"veEfFgG".includes(verb)) return bad(number, verb);
  const kind = verb === "v" ? "g" : verb === "F" ? "f" : verb;
  const precision = flags.precision ?? (kind === "g" || kind === "G" ? -1 : 6);
  let text = formatFloat(number, kind, precision);
  if (flags.plus && !/^[+-]/.test(text)) text = text === "NaN" ? "+NaN" : `+${text}`;
  else if (flags.space && !/^[+-]/.test(text)) text = ` ${text}`;
  return padNumber(text, flags, Number.isFinite(number));
}
