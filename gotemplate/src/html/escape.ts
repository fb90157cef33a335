import type { Tree } from "../nodes.ts";

export function escapeTemplates(trees: ReadonlyMap<string, Tree>, _name: string): ReadonlyMap<string, Tree> {
  return trees;
}
