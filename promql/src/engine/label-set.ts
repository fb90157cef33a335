import { type Labels, METRIC_NAME, compareStrings, sortedNames } from "@tocsin/model";
import { quoteString } from "../parser/go-format.ts";
import { isValidLabelName } from "../parser/label-name.ts";

const METADATA: ReadonlySet<string> = new Set([METRIC_NAME, "__type__", "__unit__"]);

/**
 * An immutable label set as sorted columns of names and values, with what a query asks of it again and again kept.
 * Sets that come from a source are kept per label object, so that a store that hands out the same object pays once.
 */
export class LabelSet {
  static readonly EMPTY = new LabelSet([], []);
  private static readonly known = new WeakMap<Labels, LabelSet>();

  readonly names: readonly string[];
  readonly values: readonly string[];
  private keyText: string | undefined;
  private nameless: LabelSet | undefined;
  private record: Labels | undefined;

  private constructor(names: readonly string[], values: readonly string[]) {
    this.names = names;
    this.values = values;
  }

  static from(labels: Labels): LabelSet {
    let set = LabelSet.known.get(labels);
    if (set === undefined) {
      const names = sortedNames(labels).filter((name) => labels[name] !== "");
      set = new LabelSet(
        names,
        names.map((name) => labels[name] ?? ""),
      );
      LabelSet.known.set(labels, set);
    }
    return set;
  }

  /** The value, or the empty string. */
  get(name: string): string {
    const at = this.names.indexOf(name);
    return at < 0 ? "" : (this.values[at] ?? "");
  }

  get metricName(): string {
    return this.get(METRIC_NAME);
  }

  /** A string that two sets share exactly when they are equal. */
  get key(): string {
    this.keyText ??= joinPairs(this, () => true);
    return this.keyText;
  }

  /** Without the metric name and the labels that describe the metric (type and unit). */
  withoutMetadata(): LabelSet {
    this.nameless ??= this.filter((name) => !METADATA.has(name));
    return this.nameless;
  }

  without(names: ReadonlySet<string>): LabelSet {
    return this.filter((name) => !names.has(name));
  }

  only(names: ReadonlySet<string>): LabelSet {
    return this.filter((name) => names.has(name));
  }

  /** With the label set to the value; an empty value removes it. */
  with(name: string, value: string): LabelSet {
    const at = this.names.indexOf(name);
    if (value === "") return at < 0 ? this : this.filter((other) => other !== name);
    if (at >= 0) {
      if (this.values[at] === value) return this;
      return new LabelSet(this.names, this.values.with(at, value));
    }
    const before = this.names.findIndex((other) => compareStrings(other, name) > 0);
    const place = before < 0 ? this.names.length : before;
    return new LabelSet(this.names.toSpliced(place, 0, name), this.values.toSpliced(place, 0, value));
  }

  toLabels(): Labels {
    this.record ??= Object.fromEntries(this.names.map((name, i) => [name, this.values[i] ?? ""]));
    return this.record;
  }

  /** Orders as `compareLabels` does. */
  compare(other: LabelSet): number {
    const length = Math.min(this.names.length, other.names.length);
    for (let i = 0; i < length; i++) {
      const order =
        compareStrings(this.names[i] ?? "", other.names[i] ?? "") ||
        compareStrings(this.values[i] ?? "", other.values[i] ?? "");
      if (order !== 0) return order;
    }
    return this.names.length - other.names.length;
  }

  /** `{a="x", b="y"}`, as error messages show series. */
  toString(): string {
    const pairs = this.names.map((name, i) => {
      const shown = isValidLabelName(name) ? name : quoteString(name);
      return `${shown}=${quoteString(this.values[i] ?? "")}`;
    });
    return `{${pairs.join(", ")}}`;
  }

  private filter(keep: (name: string) => boolean): LabelSet {
    if (this.names.every(keep)) return this;
    const names: string[] = [];
    const values: string[] = [];
    for (const [i, name] of this.names.entries()) {
      if (!keep(name)) continue;
      names.push(name);
      values.push(this.values[i] ?? "");
    }
    return names.length === 0 ? LabelSet.EMPTY : new LabelSet(names, values);
  }
}

function joinPairs({ names, values }: LabelSet, wanted: (name: string) => boolean): string {
  let key = "";
  for (let i = 0; i < names.length; i++) {
    const name = names[i] ?? "";
    if (wanted(name)) key += `${name}\xff${values[i] ?? ""}\xff`;
  }
  return key;
}

/** Two sets fall into one group exactly when this gives the same string for both. */
export type Grouping = (labels: LabelSet) => string;

/** Groups by the values of these labels alone. */
export function groupingBy(names: readonly string[]): Grouping {
  const sorted = [...new Set(names)].sort(compareStrings);
  if (sorted.length === 0) return () => "";
  return (labels) => {
    let key = "";
    for (const name of sorted) key += `${labels.get(name)}\xff`;
    return key;
  };
}

/** Groups by all labels but these and the metric name. */
export function groupingWithout(names: readonly string[]): Grouping {
  const excluded = new Set([...names, METRIC_NAME]);
  return (labels) => joinPairs(labels, (name) => !excluded.has(name));
}
