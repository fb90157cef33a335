import { readFileSync } from "node:fs";
import { isNode, LineCounter, parseDocument, type Document } from "yaml";
import { z } from "zod";
import { parseDuration } from "@tocsin/model";
import { errorMessage, TocsinError } from "./errors.ts";

/** One mistake in a configuration file. Line and column count from 1. */
export interface ConfigIssue {
  file: string;
  line: number;
  column: number;
  /** Dotted path of the key, e.g. `route.routes.0.group_wait`; empty for the file as a whole. */
  path: string;
  message: string;
}

/** All mistakes found in one file; the message lists them as `file:line:column path: message`. */
export class ConfigError extends TocsinError {
  readonly issues: readonly ConfigIssue[];

  constructor(issues: readonly ConfigIssue[]) {
    super("TOCSIN_CONFIG_INVALID", issues.map(formatIssue).join("\n"));
    this.issues = issues;
  }
}

export function formatIssue(issue: ConfigIssue): string {
  const place = `${issue.file}:${issue.line}:${issue.column}`;
  return issue.path === "" ? `${place}: ${issue.message}` : `${place} ${issue.path}: ${issue.message}`;
}

export interface YamlSource {
  file: string;
  text: string;
  /** Replaces `${NAME}` and `${NAME:-default}` in string values; left out = no replacement. */
  env?: Readonly<Record<string, string | undefined>>;
  /** YAML 1.1 values (`yes`, `on`, sexagesimals), as Go's yaml.v2 reads them. Default 1.2. */
  version?: "1.1" | "1.2";
}

/** A parsed YAML text that can still say where each key stands. */
export interface YamlFile {
  /** The plain value; null for an empty file. */
  readonly value: unknown;
  /** Line and column of the node at `path`, or of its nearest ancestor. */
  locate(path: readonly PropertyKey[]): { line: number; column: number };
}

/** Parses one YAML document strictly: duplicate keys, tabs and other syntax mistakes throw a ConfigError. */
export function parseYaml(source: YamlSource): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(source.text, {
    lineCounter: lines,
    version: source.version ?? "1.2",
    uniqueKeys: true,
    prettyErrors: false,
  });
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return {
          file: source.file,
          line: Math.max(1, line),
          column: Math.max(1, col),
          path: "",
          message: error.message,
        };
      }),
    );
  }
  const raw = toPlain(document, source.file);
  const value = source.env ? substituteEnv(raw, source.env) : raw;
  return { value, locate: (path) => locate(document, lines, path) };
}

/** Refuses aliases that would multiply beyond reason. */
function toPlain(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new ConfigError([{ file, line: 1, column: 1, path: "", message: errorMessage(error) }]);
  }
}

/** Parses and validates; a mistake throws a ConfigError with every issue's place. */
export function parseConfig<T extends z.ZodType>(source: YamlSource, schema: T): z.output<T> {
  const yaml = parseYaml(source);
  const result = schema.safeParse(yaml.value ?? {});
  if (result.success) return result.data;
  throw new ConfigError(issuesOf(result.error, source.file, yaml));
}

/** Reads, parses and validates a file. */
export function loadConfig<T extends z.ZodType>(
  file: string,
  schema: T,
  options: Omit<YamlSource, "file" | "text"> = {},
): z.output<T> {
  return parseConfig({ file, text: readConfigText(file), ...options }, schema);
}

/** Reads a configuration file as text; throws a TocsinError that names it. */
export function readConfigText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new TocsinError("TOCSIN_CONFIG_UNREADABLE", `cannot read ${file}: ${errorMessage(error)}`, { cause: error });
  }
}

/** zod's issues with their places in the file. */
export function issuesOf(error: z.ZodError, file: string, yaml: YamlFile): ConfigIssue[] {
  return error.issues.flatMap((issue) => {
    const keys = issue.code === "unrecognized_keys" ? issue.keys : [undefined];
    return keys.map((key) => {
      const path = key === undefined ? issue.path : [...issue.path, key];
      const message = key === undefined ? issue.message : "unknown key";
      return { file, ...yaml.locate(path), path: path.map(String).join("."), message };
    });
  });
}

/** A duration in YAML (`90s`, `1h30m`) as milliseconds. */
export const DurationMs = z.string().transform((text, context) => {
  try {
    return parseDuration(text);
  } catch (error) {
    context.addIssue({ code: "custom", message: errorMessage(error) });
    return z.NEVER;
  }
});

const SIZE_UNITS: Record<string, number> = {
  "": 1,
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** A size in YAML (`512MiB`, `2GB`, or a number of bytes) as bytes. */
export const SizeBytes = z.union([z.string(), z.number()]).transform((value, context) => {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?i?B)?$/.exec(String(value));
  const unit = match && SIZE_UNITS[match[2] ?? ""];
  if (!match || unit === undefined || unit === null) {
    context.addIssue({
      code: "custom",
      message: `not a valid size: ${JSON.stringify(value)} (write it like 512MiB or 2GB)`,
    });
    return z.NEVER;
  }
  return Math.round(Number(match[1]) * unit);
});

function locate(
  document: Document,
  lines: LineCounter,
  path: readonly PropertyKey[],
): { line: number; column: number } {
  for (let depth = path.length; depth >= 0; depth--) {
    const prefix = path.slice(0, depth);
    const start = keyStart(document, prefix);
    if (start === undefined) continue;
    const { line, col } = lines.linePos(start);
    return { line, column: col };
  }
  return { line: 1, column: 1 };
}

/** Offset of the key that names the last step of the path, else of the value. */
function keyStart(document: Document, path: readonly PropertyKey[]): number | undefined {
  const last = path.at(-1);
  const parent = document.getIn(path.slice(0, -1), true);
  if (
    last !== undefined &&
    typeof parent === "object" &&
    parent !== null &&
    "items" in parent &&
    Array.isArray(parent.items)
  ) {
    for (const item of parent.items as { key?: unknown }[]) {
      const key = item.key;
      if (isNode(key) && "value" in key && key.value === last && key.range) return key.range[0];
    }
  }
  const node = document.getIn(path, true);
  return isNode(node) && node.range ? node.range[0] : undefined;
}

function substituteEnv(value: unknown, env: NonNullable<YamlSource["env"]>): unknown {
  if (typeof value === "string") {
    return value.replaceAll(
      /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g,
      (_, name: string, fallback?: string) => env[name] ?? fallback ?? "",
    );
  }
  if (Array.isArray(value)) return value.map((item) => substituteEnv(item, env));
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substituteEnv(item, env)]));
  }
  return value;
}
