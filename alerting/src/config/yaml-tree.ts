import { isAlias, isMap, isScalar, isSeq, parseDocument } from "yaml";
import { ConfigError, parseYaml, type YamlFile } from "@tocsin/platform";

/**
 * An unquoted scalar that YAML 1.1 reads as something else than text (`yes`, `012`, `1:30`). What it is depends on the
 * field: one of type string keeps the written text, as Go's yaml does it.
 */
export class Plain {
  readonly text: string;
  readonly value: boolean | number;

  constructor(text: string, value: boolean | number) {
    this.text = text;
    this.value = value;
  }
}

/** A YAML value before its field's type is known: text, Plain, null, lists, and maps by written key. */
export type YamlTree = string | Plain | null | YamlTree[] | YamlMap;

export class YamlMap {
  readonly entries: Map<string, YamlTree>;
  /** Keys that YAML 1.1 does not read as text (`on`, `1`); an untyped map loses them. */
  readonly oddKeys: ReadonlySet<string>;

  constructor(entries: Map<string, YamlTree>, oddKeys: ReadonlySet<string>) {
    this.entries = entries;
    this.oddKeys = oddKeys;
  }
}

export interface YamlTreeFile {
  readonly tree: YamlTree;
  readonly locate: YamlFile["locate"];
}

/** Nodes after aliases are expanded; a file that says more is a bomb, not a configuration. */
const MAX_NODES = 200_000;

/** Reads one YAML 1.1 document strictly; syntax mistakes and duplicate keys throw a ConfigError with their places. */
export function readYamlTree(file: string, text: string): YamlTreeFile {
  const yaml = parseStrictly(file, text);
  const document = parseDocument(text, { version: "1.1", prettyErrors: false });
  let nodes = 0;
  const read = (node: unknown): YamlTree => {
    if (++nodes > MAX_NODES) throw tooLarge(file);
    if (isAlias(node)) return read(node.resolve(document));
    if (isSeq(node)) return node.items.map(read);
    if (isMap(node)) return readMap(node.items, read);
    if (isScalar(node)) return readScalar(node);
    return null;
  };
  return { tree: read(document.contents), locate: (path) => yaml.locate(path) };
}

function parseStrictly(file: string, text: string): YamlFile {
  try {
    return parseYaml({ file, text, version: "1.1" });
  } catch (error) {
    // How the parser reports aliases that multiply.
    throw error instanceof ReferenceError ? tooLarge(file) : error;
  }
}

function tooLarge(file: string): ConfigError {
  return new ConfigError([
    { file, line: 1, column: 1, path: "", message: `more than ${MAX_NODES} values once aliases are expanded` },
  ]);
}

type Pairs = readonly { key: unknown; value: unknown }[];

function readMap(pairs: Pairs, read: (node: unknown) => YamlTree): YamlMap {
  const entries = new Map<string, YamlTree>();
  const odd = new Set<string>();
  for (const { key, value } of pairs) {
    const tree = read(key);
    if (isMergeKey(key)) {
      for (const source of [read(value)].flat()) mergeInto(entries, source);
      continue;
    }
    const name = tree instanceof Plain ? tree.text : typeof tree === "string" ? tree : "";
    if (typeof tree !== "string") odd.add(name);
    entries.set(name, read(value));
  }
  return new YamlMap(entries, odd);
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.type === "PLAIN" && key.source === "<<";
}

/** Own keys beat merged ones wherever they stand; of several merged maps the first has the say. */
function mergeInto(entries: Map<string, YamlTree>, source: YamlTree): void {
  if (!(source instanceof YamlMap)) return;
  for (const [key, value] of source.entries) if (!entries.has(key)) entries.set(key, value);
}

function readScalar(node: { value: unknown; source?: string; type?: string | undefined }): YamlTree {
  const { value } = node;
  if (typeof value === "string") return value;
  if (value === null || value === undefined) return null;
  const text = node.source ?? "";
  if (node.type !== undefined && node.type !== "PLAIN") return text;
  if (typeof value === "boolean") return new Plain(text, value);
  // Go's yaml.v2 has no sexagesimals and keeps dates of untyped fields as they print; both stay text here.
  if ((typeof value === "number" || typeof value === "bigint") && !text.includes(":"))
    return new Plain(text, Number(value));
  return text;
}

/** A value that was read by other rules, such as a part of `tocsin.yaml`, in the form that fields take. */
export function toYamlTree(value: unknown): YamlTree {
  if (typeof value === "string") return value;
  if (typeof value === "boolean" || typeof value === "number") return new Plain(String(value), value);
  if (Array.isArray(value)) return value.map(toYamlTree);
  if (typeof value !== "object" || value === null) return null;
  return new YamlMap(new Map(Object.entries(value).map(([key, item]) => [key, toYamlTree(item)])), new Set());
}

/** The value of an untyped field as YAML 1.1 reads it; map keys that are not text are dropped. */
export function untypedValue(tree: YamlTree): unknown {
  if (tree instanceof Plain) return tree.value;
  if (Array.isArray(tree)) return tree.map(untypedValue);
  if (!(tree instanceof YamlMap)) return tree;
  const kept = [...tree.entries].filter(([key]) => !tree.oddKeys.has(key));
  return Object.fromEntries(kept.map(([key, value]) => [key, untypedValue(value)]));
}
