import { CompiledMatcher, type Labels, labelsKey, type Matcher, METRIC_NAME, sortedNames } from "@tocsin/model";
import type { ColumnPool } from "./column-pool.ts";
import { Series } from "./series.ts";

/** All series within retention, found by id, by label set and by matchers. */
export class SeriesIndex {
  readonly #pool: ColumnPool;
  readonly #byId = new Map<number, Series>();
  readonly #byKey = new Map<string, Series>();
  /** Label sets with their labels in the order a producer sends them: spares sorting them on every sample. */
  readonly #bySpelling = new Map<string, Series>();
  readonly #postings = new Map<string, Map<string, Series[]>>();
  readonly #strings = new Map<string, string>();
  #nextId = 1;

  constructor(pool: ColumnPool) {
    this.#pool = pool;
  }

  get size(): number {
    return this.#byId.size;
  }

  get nextId(): number {
    return this.#nextId;
  }

  /** Makes sure that ids up to this one are never given out again. */
  reserveIds(upTo: number): void {
    this.#nextId = Math.max(this.#nextId, upTo + 1);
  }

  all(): IterableIterator<Series> {
    return this.#byId.values();
  }

  byId(id: number): Series | undefined {
    return this.#byId.get(id);
  }

  find(labels: Labels): Series | undefined {
    let spelling = "";
    for (const name in labels) spelling += `${name}\xff${labels[name] as string}\xff`;
    const known = this.#bySpelling.get(spelling);
    if (known) return known;
    const series = this.#byKey.get(labelsKey(withoutEmpty(labels)));
    if (series) {
      if (this.#bySpelling.size > 4 * this.#byId.size + 1000) this.#bySpelling.clear();
      this.#bySpelling.set(spelling, series);
    }
    return series;
  }

  /** Adds a series that is not there yet: with a new id, or with the one it had before. */
  add(labels: Labels, id = this.#nextId): Series {
    const own = this.#intern(withoutEmpty(labels));
    const series = new Series(id, own, labelsKey(own), this.#pool);
    this.reserveIds(id);
    this.#byId.set(id, series);
    this.#byKey.set(series.key, series);
    this.#post(series);
    return series;
  }

  /** Forgets every series for which `keep` says no. */
  retain(keep: (series: Series) => boolean): void {
    const gone = [...this.#byId.values()].filter((series) => !keep(series));
    if (gone.length === 0) return;
    for (const series of gone) {
      this.#byId.delete(series.id);
      this.#byKey.delete(series.key);
    }
    this.#bySpelling.clear();
    this.#postings.clear();
    this.#strings.clear();
    for (const series of this.#byId.values()) this.#post(series);
  }

  labelNames(): string[] {
    return [...this.#postings.keys()];
  }

  labelValues(name: string): string[] {
    return [...(this.#postings.get(name)?.keys() ?? [])];
  }

  /** For each value of a label, how many series have it. */
  valueCounts(name: string): { value: string; count: number }[] {
    return [...(this.#postings.get(name) ?? [])].map(([value, series]) => ({ value, count: series.length }));
  }

  /**
   * The series that fulfil all matchers, in order of id. Starts from the shortest list that an equality or a list of
   * literals gives and looks at the labels of its series; patterns are run once per distinct value.
   * Throws an Error when a pattern is not valid RE2.
   */
  select(matchers: readonly Matcher[]): Series[] {
    const compiled = matchers.map((matcher) => new CompiledMatcher(matcher));
    const candidates = this.#candidates(compiled);
    const tests = compiled.map(remembering);
    const found = candidates.filter((series) => tests.every(({ name, matches }) => matches(series.labels[name] ?? "")));
    return found.sort((a, b) => a.id - b.id);
  }

  #candidates(matchers: readonly CompiledMatcher[]): Series[] {
    let best: Series[] | undefined;
    const consider = (list: Series[]) => {
      if (!best || list.length < best.length) best = list;
    };
    for (const matcher of matchers) {
      const values = exactValues(matcher);
      if (values) consider(this.#withValues(matcher.name, values));
    }
    if (best) return best;
    for (const matcher of matchers) {
      if (matcher.matches("")) continue;
      consider(
        this.#withValues(
          matcher.name,
          this.labelValues(matcher.name).filter((value) => matcher.matches(value)),
        ),
      );
    }
    return best ?? [...this.#byId.values()];
  }

  #withValues(name: string, values: readonly string[]): Series[] {
    const postings = this.#postings.get(name);
    if (values.length === 1) return postings?.get(values[0] as string) ?? [];
    return values.flatMap((value) => postings?.get(value) ?? []);
  }

  #post(series: Series): void {
    for (const name in series.labels) {
      let values = this.#postings.get(name);
      if (!values) this.#postings.set(name, (values = new Map()));
      const value = series.labels[name] as string;
      const list = values.get(value);
      if (list) list.push(series);
      else values.set(value, [series]);
    }
  }

  /** The same labels in order, with strings shared among series and no memory of the request they came in. */
  #intern(labels: Labels): Labels {
    const own: Record<string, string> = {};
    for (const name of sortedNames(labels)) own[this.#shared(name)] = this.#shared(labels[name] as string);
    return own;
  }

  #shared(text: string): string {
    const known = this.#strings.get(text);
    if (known !== undefined) return known;
    this.#strings.set(text, text);
    return text;
  }
}

export function metricOf(labels: Labels): string {
  return labels[METRIC_NAME] ?? "";
}

function withoutEmpty(labels: Labels): Labels {
  for (const name in labels) {
    if (labels[name] === "") return Object.fromEntries(Object.entries(labels).filter(([, value]) => value !== ""));
  }
  return labels;
}

/** The non-empty values a matcher asks for, when they are listed in it. */
function exactValues(matcher: CompiledMatcher): readonly string[] | undefined {
  if (matcher.type === "=") return matcher.value === "" ? undefined : [matcher.value];
  const literals = matcher.type === "=~" ? matcher.pattern?.literals : undefined;
  return literals?.includes("") ? undefined : literals;
}

function remembering(matcher: CompiledMatcher): { name: string; matches: (value: string) => boolean } {
  const { name } = matcher;
  if (!matcher.pattern) return { name, matches: (value) => matcher.matches(value) };
  const known = new Map<string, boolean>();
  return {
    name,
    matches(value) {
      let answer = known.get(value);
      if (answer === undefined) known.set(value, (answer = matcher.matches(value)));
      return answer;
    },
  };
}
