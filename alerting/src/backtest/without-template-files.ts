import { isMap, isNode, isScalar, parseDocument } from "yaml";

/**
 * An alertmanager.yml without its `templates:`. A configuration that came over the network must not name files of this
 * machine, and a backtest renders no messages. Lines stay where they are; a text that is no YAML is left for others to
 * find fault with.
 */
export function withoutTemplateFiles(text: string): string {
  const { contents } = parseDocument(text, { uniqueKeys: false, prettyErrors: false });
  if (!isMap(contents)) return text;
  let cleaned = text;
  for (const { key, value } of contents.items.toReversed()) {
    if (!isScalar(key) || key.value !== "templates" || !isNode(value) || !value.range) continue;
    const [start, end] = value.range;
    const lines = cleaned.slice(start, end).replaceAll(/[^\n]/g, "");
    cleaned = `${cleaned.slice(0, start)} []${lines}${cleaned.slice(end)}`;
  }
  return cleaned;
}
