import { type Labels, METRIC_NAME, ProtobufWriter, sortedNames } from "@tocsin/model";

/** A series as it is written again and again. */
export interface KnownSeries {
  readonly labels: Labels;
  readonly name: string;
  /** Name, value, name, value, …, in order of names; without empty values. */
  readonly pairs: readonly string[];
  /** The label messages of a 1.0 time series. */
  readonly bytes: Uint8Array;
  /** Of the labels, whatever their order; 32 bits. */
  readonly hash: number;
}

const LABEL = (1 << 3) | 2;
const NAME = (1 << 3) | 2;
const VALUE = (2 << 3) | 2;

/**
 * Remembers the encoded labels of series. Two generations: when the younger is full the older goes, and with it what
 * was not written since.
 */
export class SeriesCache {
  readonly #max: number;
  #young = new Map<string, KnownSeries>();
  #old = new Map<string, KnownSeries>();

  constructor(max: number) {
    this.#max = max;
  }

  get(labels: Labels): KnownSeries {
    // In the order given: a source that orders its labels otherwise next time only gets a second entry.
    let key = "";
    for (const name in labels) key += `${name}\xff${labels[name]}\xff`;
    const young = this.#young.get(key);
    if (young) return young;
    const series = this.#old.get(key) ?? encodeLabels(labels);
    if (this.#young.size >= this.#max) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, series);
    return series;
  }
}

/** Without remembering it. */
export function encodeLabels(labels: Labels): KnownSeries {
  const out = new ProtobufWriter();
  const pairs: string[] = [];
  let hash = 0x811c9dc5;
  const mix = (text: string) => {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ 0xff, 0x01000193);
  };
  for (const name of sortedNames(labels)) {
    const value = labels[name] ?? "";
    if (value === "") continue;
    pairs.push(name, value);
    mix(name);
    mix(value);
    const mark = out.begin(LABEL);
    out.string(NAME, name);
    out.string(VALUE, value);
    out.end(mark);
  }
  return { labels, name: labels[METRIC_NAME] ?? "", pairs, bytes: out.finish(), hash: hash >>> 0 };
}
