import { z } from "zod";
import {
  formatDuration,
  formatGoDuration,
  isLabelName,
  parseDuration,
  parseGoDuration,
  type Labels,
  type MatcherMode,
} from "@tocsin/model";
import { errorMessage, Secret } from "@tocsin/platform";
import { Plain, untypedValue, YamlMap, type YamlTree } from "./yaml-tree.ts";

/**
 * The field types of `alertmanager.yml` as zod codecs: decoding reads the YAML tree, encoding gives what
 * `status.config.original` shows, so that what is parsed and what is written again cannot drift apart.
 */

const SHOWN_SECRET = "<secret>";

type Payload = { value: unknown; issues: z.core.$ZodRawIssue[] };

/** Reports a mistake at the place of the field. */
function reject(payload: Payload, message: string): never {
  payload.issues.push({ code: "custom", message, input: payload.value });
  return z.NEVER;
}

/** A codec from the YAML tree; `decode` may throw an Error, whose message becomes the issue. */
export function field<T>(decode: (tree: YamlTree) => T, encode: (value: T) => unknown) {
  return z.codec(
    z.unknown(),
    z.custom<T>(() => true),
    {
      decode(tree, payload) {
        if (tree === undefined) return reject(payload as Payload, "is missing");
        try {
          return decode(tree as YamlTree);
        } catch (error) {
          return reject(payload as Payload, errorMessage(error));
        }
      },
      encode,
    },
  );
}

function readText(tree: YamlTree): string {
  if (tree instanceof Plain) return tree.text;
  if (tree === null) return "";
  if (typeof tree !== "string") throw new Error(`expected a text, not a ${Array.isArray(tree) ? "list" : "map"}`);
  return tree;
}

/** A string; an unquoted number or boolean keeps what was written. */
export const text = field(readText, (value) => value);

/** A text that must not be empty. */
export const requiredText = field(
  (tree) => {
    const value = readText(tree);
    if (value === "") throw new Error("must not be empty");
    return value;
  },
  (value) => value,
);

export const oneOf = <const T extends string>(...values: T[]) =>
  field<T>(
    (tree) => {
      const value = readText(tree);
      const known = values.find((candidate) => candidate === value);
      if (known === undefined) throw new Error(`must be one of ${values.join(", ")}, not ${JSON.stringify(value)}`);
      return known;
    },
    (value) => value,
  );

export const bool = field(
  (tree) => {
    if (tree instanceof Plain && typeof tree.value === "boolean") return tree.value;
    throw new Error("expected true or false");
  },
  (value) => value,
);

/** A whole number ≥ 0. */
export const count = field(
  (tree) => {
    const value = tree instanceof Plain ? tree.value : undefined;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw new Error("expected a whole number");
  },
  (value) => value,
);

/** A whole number of either sign. */
export const integer = field(
  (tree) => {
    const value = tree instanceof Plain ? tree.value : undefined;
    if (typeof value === "number" && Number.isSafeInteger(value)) return value;
    throw new Error("expected a whole number");
  },
  (value) => value,
);

/** Prometheus style (`1h30m`), in milliseconds. */
export const duration = field((tree) => parseDuration(readText(tree)), formatDuration);

/** Go style (`1m30s`, `500ms`), in milliseconds. */
export const goDuration = field((tree) => parseGoDuration(readText(tree)), formatGoDuration);

/** Shown as `<secret>`; an empty one stays empty. */
export const secret = field(
  (tree) => new Secret(readText(tree)),
  (value) => (value.reveal() === "" ? "" : SHOWN_SECRET),
);

/** An http or https URL that may be shown. */
export const url = field(
  (tree) => checkUrl(readText(tree)),
  (value) => value,
);

/** A URL that holds a secret; reading `<secret>` back is allowed. */
export const secretUrl = field(
  (tree) => {
    const value = readText(tree);
    return new Secret(value === SHOWN_SECRET ? value : checkUrl(value));
  },
  () => SHOWN_SECRET,
);

/** Whether a secret is what stands in a configuration that was written again. */
export const isShownSecret = (value: Secret | undefined): boolean => value?.reveal() === SHOWN_SECRET;

/** As secretUrl, but a template may stand in it: checked when it is rendered. */
export const secretTemplateUrl = field(
  (tree) => {
    const value = readText(tree);
    return new Secret(value === SHOWN_SECRET || value.includes("{{") ? value : checkUrl(value));
  },
  () => SHOWN_SECRET,
);

/** Throws an Error when the text is not an absolute http(s) URL; never repeats the text, which may be a secret. */
export function checkUrl(value: string): string {
  const parsed = URL.canParse(value) ? new URL(value) : undefined;
  if (!parsed) throw new Error("not a valid URL (write it like https://example.com/path)");
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:")
    throw new Error(`unsupported scheme ${JSON.stringify(parsed.protocol.replace(":", ""))} for URL`);
  if (parsed.host === "") throw new Error("missing host for URL");
  return value;
}

/** A URL whose password is not shown. */
export const proxyUrl = field(
  (tree) => new Secret(readText(tree)),
  (value) => {
    const shown = URL.canParse(value.reveal()) ? new URL(value.reveal()) : undefined;
    if (!shown) return SHOWN_SECRET;
    if (shown.password !== "") shown.password = "xxxxx";
    return shown.href;
  },
);

/** Any YAML value, read by YAML 1.1's rules. */
export const untyped = field(untypedValue, (value) => value);

/** A list; a missing value is an empty one. */
export const list = <T extends z.ZodType>(item: T) =>
  z.codec(z.unknown(), z.array(item), {
    decode: (tree, payload) =>
      (tree === null ? [] : Array.isArray(tree) ? tree : reject(payload as Payload, "expected a list")) as z.input<T>[],
    encode: (value) => value,
  });

/** A map of texts to `item`. */
export const mapOf = <T extends z.ZodType>(item: T) =>
  z.codec(z.unknown(), z.record(z.string(), item), {
    decode: (tree, payload) =>
      (tree instanceof YamlMap
        ? Object.fromEntries(tree.entries)
        : tree === null
          ? {}
          : reject(payload as Payload, "expected a map")) as Record<string, z.input<T>>,
    encode: (value) => value,
  });

/** A map with exactly these keys; null values count as missing, unknown keys are issues. */
export const object = <S extends z.ZodRawShape>(shape: S) =>
  z.codec(z.unknown(), z.strictObject(shape), {
    decode: (tree, payload) =>
      (tree instanceof YamlMap
        ? Object.fromEntries([...tree.entries].filter(([, value]) => value !== null))
        : tree === null
          ? {}
          : reject(payload as Payload, "expected a map")) as z.input<z.ZodObject<S, z.core.$strict>>,
    encode: (value) => value,
  });

/** Label names to values (or templates); names by the matcher mode. */
export const labelMap = (mode: MatcherMode) =>
  field<Labels>(
    (tree) => readLabels(tree, mode),
    (value) => value,
  );

export function readLabels(tree: YamlTree, mode: MatcherMode): Labels {
  if (tree === null) return {};
  if (!(tree instanceof YamlMap)) throw new Error("expected a map");
  for (const name of tree.entries.keys())
    if (!isLabelName(name, mode)) throw new Error(`${JSON.stringify(name)} is not a valid label name`);
  return Object.fromEntries([...tree.entries].map(([name, value]) => [name, readText(value)]));
}

/** A part of the format that cannot be acted on: refused, because taking it silently would lose notifications. */
export const notBuilt = (what: string) =>
  field<undefined>(
    () => {
      throw new Error(`${what} is not built into this version yet`);
    },
    () => undefined,
  );

/** For superRefine: reports when more than one of the keys is set. */
export function atMostOne<T extends object>(context: z.RefinementCtx, block: T, ...names: (keyof T & string)[]): void {
  if (names.filter((name) => block[name] !== undefined).length > 1)
    context.addIssue({ code: "custom", path: [names[0] ?? ""], message: `at most one of ${names.join(" and ")}` });
}

/** For superRefine: reports when not exactly one of the two keys is set. */
export function exactlyOne<T extends object>(
  context: z.RefinementCtx,
  block: T,
  a: keyof T & string,
  b: keyof T & string,
): void {
  if ((block[a] === undefined) === (block[b] === undefined))
    context.addIssue({ code: "custom", message: `exactly one of ${a} and ${b} must be set` });
}
