import { parseArgs } from "node:util";
import { z } from "zod";
import { issuesOf, parseYaml, readConfigText, ConfigError, TocsinError } from "@tocsin/platform";
import { envName, flagName, SCALAR_KEYS, ScalarSettings, TocsinConfig, type ScalarKey } from "./settings.ts";

export interface Settings extends TocsinConfig {
  /** Keys that the file, the environment or a flag gave; a default port may move, one of these may not. */
  readonly given: ReadonlySet<ScalarKey>;
  /** tocsin.yaml, when there is one. */
  readonly file: string | undefined;
}

/** Reads `tocsin.yaml`, then `TOCSIN_*`, then flags. Throws with the place of each mistake. */
export function readSettings(args: readonly string[], env: NodeJS.ProcessEnv): Settings {
  const { settings, names } = readCommandLine(args, env);
  if (names.length === 0) return settings;
  throw new TocsinError(
    "TOCSIN_CONFIG_INVALID",
    `unexpected ${JSON.stringify(names[0])}; \`tocsin up --help\` lists the flags`,
  );
}

/** The same for a command that also takes names, of files for instance. */
export function readCommandLine(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): { settings: Settings; names: readonly string[] } {
  const flags = parseFlags(args);
  const file = flags.config ?? env["TOCSIN_CONFIG"];
  const fromFile = file === undefined ? {} : readFile(file, env);
  const fromEnv = pick((key) => env[envName(key)]);
  const raw: Record<string, unknown> = { ...fromFile, ...fromEnv, ...flags.scalars };
  const result = TocsinConfig.safeParse(raw);
  if (!result.success)
    throw new TocsinError("TOCSIN_CONFIG_INVALID", describeMistakes(result.error, flags.scalars, fromEnv));
  const settings = { ...result.data, given: new Set(SCALAR_KEYS.filter((key) => key in raw)), file };
  return { settings, names: flags.names };
}

function readFile(file: string, env: NodeJS.ProcessEnv): Record<string, unknown> {
  const yaml = parseYaml({ file, text: readConfigText(file), env });
  const result = TocsinConfig.safeParse(yaml.value ?? {});
  if (!result.success) throw new ConfigError(issuesOf(result.error, file, yaml));
  return (yaml.value ?? {}) as Record<string, unknown>;
}

function parseFlags(args: readonly string[]): {
  config: string | undefined;
  scalars: Record<string, unknown>;
  names: readonly string[];
} {
  const booleans = SCALAR_KEYS.filter(isBoolean);
  const options = Object.fromEntries<{ type: "string" | "boolean"; multiple?: boolean }>([
    ["config", { type: "string" }],
    ...SCALAR_KEYS.filter((key) => !isBoolean(key)).map(
      (key) => [flagName(key), { type: "string", multiple: key === "rules" }] as const,
    ),
    ...booleans.map((key) => [flagName(key), { type: "boolean" }] as const),
  ]);
  const { values, positionals } = parse(args, options);
  const scalars = pick((key) => values[flagName(key)]);
  return { config: values["config"] as string | undefined, scalars, names: positionals };
}

function parse(args: readonly string[], options: Record<string, { type: "string" | "boolean"; multiple?: boolean }>) {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: true, allowNegative: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split(". ", 1)[0] : String(error);
    throw new TocsinError("TOCSIN_CONFIG_INVALID", `${reason}; \`tocsin up --help\` lists the flags`, { cause: error });
  }
}

function pick(read: (key: ScalarKey) => unknown): Record<string, unknown> {
  return Object.fromEntries(SCALAR_KEYS.map((key) => [key, read(key)]).filter(([, value]) => value !== undefined));
}

function isBoolean(key: ScalarKey): boolean {
  return key === "demo" || key === "allow_unauthenticated_bind";
}

function describeMistakes(error: z.ZodError, flags: Record<string, unknown>, env: Record<string, unknown>): string {
  return error.issues
    .map((issue) => {
      const key = String(issue.path[0]) as ScalarKey;
      const place = key in flags ? `--${flagName(key)}` : key in env ? envName(key) : key;
      return `${place}: ${issue.message}`;
    })
    .join("\n");
}

/** How a setting is spelled on the command line and in the environment, and its default as text. */
export function describeFlag(key: ScalarKey): { flag: string; env: string; fallback: string } {
  const fallback = ScalarSettings.parse({})[key];
  return {
    flag: isBoolean(key) && fallback === true ? `--no-${flagName(key)}` : `--${flagName(key)}`,
    env: envName(key),
    fallback: Array.isArray(fallback) ? "" : String(fallback),
  };
}

/** The flag list of `--help`: name, environment variable, default, meaning. */
export function describeSettings(): string {
  const rows = SCALAR_KEYS.map((key) => {
    const { flag, env, fallback } = describeFlag(key);
    return [flag, env, fallback, ScalarSettings.shape[key].description ?? ""] as const;
  });
  const all = [["--config", "TOCSIN_CONFIG", "", "tocsin.yaml"] as const, ...rows];
  const width = (column: 0 | 1 | 2) => Math.max(...all.map((row) => row[column].length));
  return all
    .map((row) => `  ${row[0].padEnd(width(0))}  ${row[1].padEnd(width(1))}  ${row[2].padEnd(width(2))}  ${row[3]}`)
    .join("\n");
}
