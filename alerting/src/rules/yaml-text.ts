import { ConfigError, type ConfigIssue } from "@tocsin/platform";
import {
  type Alias,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseAllDocuments,
  visit,
} from "yaml";
import type { z } from "zod";

/** A YAML file whose scalars are kept as written (`1.10` stays `1.10`), as Go decodes them into strings. */
export interface YamlText {
  /** Maps, lists, strings, and null where a value is left out. */
  readonly value: unknown;
  /** Whether further documents follow, which are not read. */
  readonly moreDocuments: boolean;
  /** Place of the key or item at the path, or of its nearest ancestor; from 1. */
  locate(path: readonly PropertyKey[]): { line: number; column: number };
  /** Place of the value at the path. */
  locateValue(path: readonly PropertyKey[]): { line: number; column: number };
}

/** Parses the first document strictly: a duplicate key or any other mistake throws a ConfigError with its place. */
export function readYamlText(file: string, text: string): YamlText {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    schema: "failsafe",
    uniqueKeys: true,
    prettyErrors: false,
  });
  const document = Array.isArray(documents) ? documents[0] : undefined;
  if (document !== undefined && document.errors.length > 0)
    throw new ConfigError(
      document.errors.map((error) => {
        const { line, col } = lines.linePos(error.pos[0]);
        return { file, line: Math.max(line, 1), column: Math.max(col, 1), path: "", message: error.message };
      }),
    );
  const root = document?.contents ?? null;
  const place = (offset: number | undefined) => {
    if (offset === undefined) return { line: 1, column: 1 };
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const targets = isNode(root) ? aliasTargets(root) : new Map<Alias, Node>();
  const resolve = (node: unknown): unknown => (isAlias(node) ? targets.get(node) : node);
  return {
    value: isNode(root) ? limited(file, () => plain(root, resolve, { nodes: 0 }, 0)) : null,
    moreDocuments: documents.length > 1,
    locate: (path) => place(offsetOf(root, path, resolve, "key")),
    locateValue: (path) => place(offsetOf(root, path, resolve, "value")),
  };
}

/** Validates what was read; a mistake throws a ConfigError with every issue's place. An empty file counts as `{}`. */
export function validateYamlText<T extends z.ZodType>(file: string, yaml: YamlText, schema: T): z.output<T> {
  const result = schema.safeParse(yaml.value ?? {});
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.flatMap((issue) => {
      const keys = issue.code === "unrecognized_keys" ? issue.keys : [undefined];
      return keys.map((key): ConfigIssue => {
        const path = key === undefined ? issue.path : [...issue.path, key];
        const message = key === undefined ? issue.message : "unknown key";
        return { file, ...yaml.locate(path), path: path.map(String).join("."), message };
      });
    }),
  );
}

/** What each alias stands for: the last node before it with its anchor. */
function aliasTargets(root: Node): Map<Alias, Node> {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  visit(root, {
    Node(_, node) {
      if (isAlias(node)) {
        const target = anchors.get(node.source);
        if (target !== undefined) targets.set(node, target);
      } else if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

class YamlLimit extends Error {}

function limited(file: string, read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof YamlLimit)) throw error;
    throw new ConfigError([{ file, line: 1, column: 1, path: "", message: error.message }]);
  }
}

const MAX_DEPTH = 100;
/** Aliases can make much of little. */
const MAX_NODES = 200_000;

function plain(node: unknown, resolve: (node: unknown) => unknown, count: { nodes: number }, depth: number): unknown {
  if (depth > MAX_DEPTH) throw new YamlLimit(`nested more than ${MAX_DEPTH} deep`);
  if (++count.nodes > MAX_NODES) throw new YamlLimit(`more than ${MAX_NODES} values, aliases counted each time`);
  const target = resolve(node);
  if (isMap(target))
    return Object.fromEntries(
      target.items.map((pair) => [
        String(plain(pair.key, resolve, count, depth + 1)),
        plain(pair.value, resolve, count, depth + 1),
      ]),
    );
  if (isSeq(target)) return target.items.map((item) => plain(item, resolve, count, depth + 1));
  if (!isScalar(target)) return null;
  const written = target.type === "PLAIN" ? (target.source ?? "") : String(target.value);
  if (target.type === "PLAIN" && (written === "" || written === "~" || written === "null")) return null;
  return target.type === "PLAIN" ? String(target.value) : written;
}

function offsetOf(
  root: Node | null,
  path: readonly PropertyKey[],
  resolve: (node: unknown) => unknown,
  what: "key" | "value",
): number | undefined {
  let node: unknown = root;
  let offset = startOf(node);
  for (const [i, step] of path.entries()) {
    const target = resolve(node);
    const wantKey = what === "key" || i < path.length - 1;
    if (isMap(target)) {
      const pair = target.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
      if (pair === undefined) return offset;
      offset = (wantKey ? startOf(pair.key) : startOf(pair.value)) ?? startOf(pair.key);
      node = pair.value;
    } else if (isSeq(target)) {
      node = target.items[Number(step)];
      offset = startOf(node) ?? offset;
    } else return offset;
  }
  return offset;
}

const startOf = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);
