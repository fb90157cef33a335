import { compareStrings } from "./order.ts";

/** A label set: name → value. A label with an empty value is the same as no label. */
export type Labels = Readonly<Record<string, string>>;

export const METRIC_NAME = "__name__";

/** The label names in Go's order of strings. */
export function sortedNames(labels: Labels): string[] {
  return Object.keys(labels).sort(compareStrings);
}

/** A string that two label sets share exactly when they are equal; fit as a Map key, not for people. */
export function labelsKey(labels: Labels): string {
  let key = "";
  for (const name of sortedNames(labels)) key += `${name}\xff${labels[name]}\xff`;
  return key;
}

export function labelsEqual(a: Labels, b: Labels): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** Orders label sets as Prometheus does: pairwise by name, then value; a prefix comes first. */
export function compareLabels(a: Labels, b: Labels): number {
  const x = sortedNames(a);
  const y = sortedNames(b);
  for (let i = 0; i < Math.min(x.length, y.length); i++) {
    const p = x[i] as string;
    const q = y[i] as string;
    const order = compareStrings(p, q) || compareStrings(a[p] as string, b[q] as string);
    if (order !== 0) return order;
  }
  return x.length - y.length;
}

/** Prints `{a="x", b="y"}` in name order; the metric name is not set apart. */
export function formatLabels(labels: Labels): string {
  const pairs = sortedNames(labels).map((name) => `${name}=${JSON.stringify(labels[name])}`);
  return `{${pairs.join(", ")}}`;
}

const utf8 = new TextEncoder();

/**
 * The identity of a label set: FNV-1a 64 over name, 0xFF, value, 0xFF of each label in order, as 16 hex digits.
 * The same as Prometheus' and Alertmanager's, so that ids can be compared across the systems.
 */
export function fingerprint(labels: Labels): string {
  let hi = 0xcbf29ce4;
  let lo = 0x84222325;
  const mix = (byte: number) => {
    lo = (lo ^ byte) >>> 0;
    const product = lo * 0x1b3;
    const carry = Math.floor(product / 0x100000000);
    hi = (((hi * 0x1b3) % 0x100000000) + carry + ((lo << 8) >>> 0)) >>> 0;
    lo = product >>> 0;
  };
  for (const name of sortedNames(labels)) {
    for (const byte of utf8.encode(name)) mix(byte);
    mix(0xff);
    for (const byte of utf8.encode(labels[name])) mix(byte);
    mix(0xff);
  }
  return hi.toString(16).padStart(8, "0") + lo.toString(16).padStart(8, "0");
}
