import { DATA_START } from "./generate-data.ts";
import type { Random } from "./random.ts";

const METRICS = ["requests_total", "temperature", "odd", "latency_bucket", "native", "custom", "mixed", "limits"];
const LABELS = ["job", "instance", "code", "le"];
const FLOAT_FUNCTIONS =
  "abs absent acos acosh asin asinh atan atanh ceil cos cosh deg exp floor ln log10 log2 rad sgn sin sinh sqrt tan tanh timestamp sort sort_desc histogram_avg histogram_count histogram_sum histogram_stddev histogram_stdvar days_in_month day_of_month day_of_week day_of_year hour minute month year".split(
    " ",
  );
const RANGE_FUNCTIONS =
  "absent_over_time avg_over_time changes count_over_time delta deriv first_over_time idelta increase irate last_over_time max_over_time min_over_time present_over_time rate resets stddev_over_time stdvar_over_time sum_over_time rate rate increase".split(
    " ",
  );
const AGGREGATIONS = "sum avg count min max group stddev stdvar sum avg".split(" ");
const ARITHMETIC = ["+", "-", "*", "/", "%", "^", "atan2"];
const COMPARISONS = ["==", "!=", ">", "<", ">=", "<="];
const SETS = ["and", "or", "unless"];
const DURATIONS = ["30s", "1m", "90s", "5m", "17m", "1h"];

/** Generates queries that mostly make sense; with everything behind flags only when `experimental`. */
export class QueryGenerator {
  private readonly random: Random;
  private readonly experimental: boolean;

  constructor(random: Random, experimental = false) {
    this.random = random;
    this.experimental = experimental;
  }

  query(): string {
    return this.random.chance(0.05) ? this.scalar(3) : this.vector(this.random.int(1, 4));
  }

  private vector(depth: number): string {
    const { random } = this;
    if (depth <= 0 || random.chance(0.12)) return this.selector() + this.modifiers();
    const inner = depth - 1;
    if (this.experimental && random.chance(0.4)) return this.experiment(inner);
    switch (random.int(0, 11)) {
      case 0:
      case 1:
        return `${random.pick(RANGE_FUNCTIONS)}(${this.range(inner)})`;
      case 2:
      case 3:
        return this.aggregation(inner);
      case 4:
        return `${random.pick(FLOAT_FUNCTIONS)}(${this.vector(inner)})`;
      case 5:
        return this.vectorOperation(inner);
      case 6:
        return this.scalarOperation(inner);
      case 7:
        return this.parameterFunction(inner);
      case 8:
        return this.relabelling(inner);
      case 9:
        return `(${this.vector(inner)})`;
      case 10:
        return `-${this.vector(inner)}`;
      default:
        return this.histogramFunction(inner);
    }
  }

  private experiment(depth: number): string {
    const { random } = this;
    const [lhs, rhs] = [this.grouped(depth), this.grouped(depth)];
    const metric = random.pick(["requests_total", "temperature", "native", "custom", "mixed", "odd"]);
    switch (random.int(0, 10)) {
      case 0:
        return `${random.pick(["mad_over_time", "ts_of_first_over_time", "ts_of_last_over_time", "ts_of_max_over_time", "ts_of_min_over_time"])}(${this.range(depth)})`;
      case 1:
        return `double_exponential_smoothing(${this.range(depth)}, ${random.pick(["0.5", "0.1", "1"])}, ${random.pick(["0.5", "0.9"])})`;
      case 2:
      case 3: {
        const modifier = random.pick(["anchored", "smoothed"]);
        const func = random.pick(["rate", "increase", "delta", "rate", "resets", "changes"]);
        return `${func}(${metric}[${random.pick(DURATIONS)}] ${modifier}${this.modifiers()})`;
      }
      case 4:
        return `${metric} smoothed${this.modifiers()}`;
      case 5: {
        const on = random.chance(0.6) ? ` on (${this.labels()})` : "";
        const fill = random.pick(["fill(0)", "fill_left(1)", "fill_right(2.5)", "fill_left(1) fill_right(NaN)"]);
        return `${lhs} ${this.operator()}${on} ${fill} ${rhs}`;
      }
      case 6:
        return `${random.pick(["native", "custom", "mixed", lhs])} ${random.pick(["</", ">/"])} ${random.pick(["0.5", "3", "-1", "time()", "100", "Inf"])}`;
      case 7:
        return `histogram_quantiles(${random.pick(["native", "custom", "rate(latency_bucket[5m])"])}, "q", 0.5, ${random.pick(["0.99", "1.5"])})`;
      case 8:
        return `${random.pick(["sort_by_label", "sort_by_label_desc"])}(${this.vector(depth)}, "job", "instance")`;
      case 9:
        return `${random.pick(["avg_over_time", "count_over_time", "increase"])}(${metric}[${random.pick(["5m + step()", "max_of(step(), 2m)", "range() / 3 + 1m", "-(-7m)", "1m * 3 - 30s"])}] offset ${random.pick(["step()", "-(1m + step())", "30s"])})`;
      default:
        return `limit_ratio(${random.pick(["0.5", "-0.3", "1.2", "0"])}, ${random.pick(METRICS)})`;
    }
  }

  private selector(): string {
    const { random } = this;
    const metric = random.pick(METRICS);
    if (random.chance(0.04)) return `{__name__=~"${random.pick(["temp.*", "re.+|limits", ".*tom"])}"}`;
    if (random.chance(0.5)) return metric;
    const matcher = random.pick([
      'job="api"',
      'job=~"a.*"',
      'instance!="a"',
      'instance=~"a|b"',
      'code!~"5.."',
      'missing=""',
      'job="none"',
    ]);
    return `${metric}{${matcher}}`;
  }

  private modifiers(): string {
    const { random } = this;
    let text = "";
    if (random.chance(0.1)) text += ` offset ${random.chance(0.3) ? "-" : ""}${random.pick(DURATIONS)}`;
    if (random.chance(0.08))
      text += random.pick([" @ start()", " @ end()", ` @ ${DATA_START / 1000 + random.int(0, 7200)}`]);
    return text;
  }

  private range(depth: number): string {
    const { random } = this;
    if (random.chance(0.8)) return `${this.selector()}[${random.pick(DURATIONS)}]${this.modifiers()}`;
    const step = random.chance(0.5) ? random.pick(["30s", "1m", "7m"]) : "";
    return `${this.grouped(depth)}[${random.pick(["5m", "20m", "1h"])}:${step}]${this.modifiers()}`;
  }

  /** An operand that binds as a whole. */
  private grouped(depth: number): string {
    return `(${this.vector(depth)})`;
  }

  private labels(): string {
    const { random } = this;
    return LABELS.filter(() => random.chance(0.4)).join(", ");
  }

  private aggregation(depth: number): string {
    const { random } = this;
    const modifier = random.chance(0.75) ? ` ${random.pick(["by", "without"])} (${this.labels()})` : "";
    const vector = this.vector(depth);
    const kind = random.next();
    if (kind < 0.75) return `${random.pick(AGGREGATIONS)}${modifier} (${vector})`;
    if (kind < 0.85) return `quantile${modifier} (${random.pick(["0.5", "0.99", "0", "1", "-1", "2"])}, ${vector})`;
    // Which of several equal ones is taken depends on the order of a hash map, so only distinct values are ranked.
    if (kind < 0.95) return `${random.pick(["topk", "bottomk"])}${modifier} (${random.int(0, 4)}, temperature)`;
    return `count_values${modifier} ("value", ${vector})`;
  }

  private vectorOperation(depth: number): string {
    const { random } = this;
    const [lhs, rhs] = [this.grouped(depth), this.grouped(depth)];
    if (random.chance(0.25)) {
      const on = random.chance(0.5) ? ` ${random.pick(["on", "ignoring"])} (${this.labels()})` : "";
      return `${lhs} ${random.pick(SETS)}${on} ${rhs}`;
    }
    const operator = this.operator();
    switch (random.int(0, 3)) {
      case 0:
        return `${lhs} ${operator} ${rhs}`;
      case 1:
        return `${lhs} ${operator} ${random.pick(["on", "ignoring"])} (${this.labels()}) ${rhs}`;
      case 2:
        return `${lhs} ${operator} on (job) ${random.pick(["group_left", "group_right"])} limits`;
      default:
        return `${lhs} ${operator} on (job, instance) group_left (code) temperature`;
    }
  }

  private operator(): string {
    const { random } = this;
    if (random.chance(0.6)) return random.pick(ARITHMETIC);
    return random.pick(COMPARISONS) + (random.chance(0.4) ? " bool" : "");
  }

  private scalarOperation(depth: number): string {
    const [vector, scalar] = [this.grouped(depth), this.scalar(depth)];
    const operator = this.operator();
    return this.random.chance(0.5) ? `${vector} ${operator} ${scalar}` : `${scalar} ${operator} ${vector}`;
  }

  private scalar(depth: number): string {
    const { random } = this;
    if (depth <= 0 || random.chance(0.7))
      return random.pick(["0", "1", "2.5", "-3", "1e3", "Inf", "NaN", "5m", "0x1F"]);
    switch (random.int(0, 4)) {
      case 0:
        return `scalar(${this.vector(depth - 1)})`;
      case 1:
        return "time()";
      case 2:
        return "pi()";
      default:
        return `(${this.scalar(depth - 1)} ${random.pick(ARITHMETIC)} ${this.scalar(depth - 1)})`;
    }
  }

  private parameterFunction(depth: number): string {
    const { random } = this;
    const number = () => this.scalar(random.chance(0.2) ? 1 : 0);
    switch (random.int(0, 6)) {
      case 0:
        return `clamp(${this.vector(depth)}, ${number()}, ${number()})`;
      case 1:
        return `${random.pick(["clamp_min", "clamp_max"])}(${this.vector(depth)}, ${number()})`;
      case 2:
        return `round(${this.vector(depth)}${random.chance(0.5) ? `, ${random.pick(["5", "0.1", "10"])}` : ""})`;
      case 3:
        return `quantile_over_time(${random.pick(["0.5", "0.9", "1", "-0.1", "1.1"])}, ${this.range(depth)})`;
      case 4:
        return `predict_linear(${this.range(depth)}, ${random.pick(["60", "3600", "-5"])})`;
      case 5:
        return `vector(${this.scalar(depth)})`;
      default:
        return `absent(${this.vector(depth)})`;
    }
  }

  private relabelling(depth: number): string {
    const { random } = this;
    if (random.chance(0.5)) {
      const change = random.pick([
        '"zone", "$1-z", "instance", "(.*)"',
        '"job", "x", "instance", "a"',
        '"__name__", "renamed", "job", ".+"',
        '"instance", "", "job", "(.+)"',
        '"zone", "${1}", "code", "([0-9])(?P<rest>.*)"',
      ]);
      return `label_replace(${this.vector(depth)}, ${change})`;
    }
    return `label_join(${this.vector(depth)}, "${random.pick(["joined", "job"])}", "-", "job", "instance")`;
  }

  private histogramFunction(depth: number): string {
    const { random } = this;
    const vector = random.pick([
      "native",
      "custom",
      "mixed",
      "latency_bucket",
      "rate(latency_bucket[5m])",
      "rate(native[10m])",
      "sum by (le) (rate(latency_bucket[5m]))",
      "sum by (job) (custom)",
      "avg(native)",
      "increase(custom[17m])",
      this.vector(depth),
    ]);
    const kind = random.next();
    const q = random.pick(["0.5", "0.9", "0.99", "0", "1", "-1", "1.5"]);
    if (kind < 0.5) return `histogram_quantile(${q}, ${vector})`;
    if (kind < 0.7)
      return `histogram_fraction(${random.pick(["0", "-Inf", "0.2"])}, ${random.pick(["1", "+Inf", "4.2"])}, ${vector})`;
    if (kind < 0.85)
      return `${random.pick(["histogram_count", "histogram_sum", "histogram_avg", "histogram_stddev"])}(${vector})`;
    return vector;
  }
}

const SCRAPS = [
  "(",
  ")",
  "{",
  "}",
  "[",
  "]",
  ",",
  "by",
  "on",
  "5m",
  "offset",
  "@",
  "-",
  "=",
  '"',
  "#",
  "start()",
  "é",
  "bool",
  ":",
];

/** Takes characters out and puts scraps in. */
export function mutilate(random: Random, query: string): string {
  let text = query;
  for (let times = random.int(1, 3); times > 0; times--) {
    const at = random.int(0, text.length);
    const cut = random.chance(0.5) ? random.int(1, 4) : 0;
    text = text.slice(0, at) + (cut === 0 ? ` ${random.pick(SCRAPS)} ` : "") + text.slice(at + cut);
  }
  return text;
}
