import { untypedValue, readYamlTree } from "../config/yaml-tree.ts";

/**
 * Renders every text in a value of any shape, keys too. What a text renders to is read as YAML: numbers, booleans,
 * lists and maps become such, text stays as it was rendered. What came from alerts is never rendered itself: unlike
 * Alertmanager, a label with `{{` in it is a label.
 */
export function renderStructured(value: unknown, render: (template: string) => string): unknown {
  if (typeof value === "string") {
    const rendered = render(value);
    const read = readValue(rendered);
    return typeof read === "string" || read === null ? rendered : read;
  }
  if (Array.isArray(value)) return value.map((item) => renderStructured(item, render));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [render(key), renderStructured(item, render)]));
}

/** Every text in a value of any shape, keys too. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...textsIn(item)]);
}

function readValue(text: string): unknown {
  try {
    return untypedValue(readYamlTree("payload", text).tree);
  } catch {
    // A text that is no YAML is a text.
    return text;
  }
}
