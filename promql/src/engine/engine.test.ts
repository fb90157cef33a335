import type { Sample } from "@tocsin/model";
import { describe, expect, it } from "vitest";
import { createMemorySource } from "../memory-source.ts";
import { parseExpr } from "../parser/parser.ts";
import type { SeriesSource } from "../series-source.ts";
import { createEngine } from "./engine.ts";
import { resultToJson } from "./result-json.ts";

const MINUTE = 60_000;

/** A source from `name{label="value"}`-less shorthand: metric name, labels, values a minute apart from 0. */
function load(...series: [string, Record<string, string>, (number | "stale" | undefined)[]][]) {
  const source = createMemorySource();
  for (const [name, labels, values] of series) {
    for (const [i, value] of values.entries()) {
      if (value === undefined) continue;
      const sample: Sample = { timestampMs: i * MINUTE, value: value === "stale" ? 0 : value };
      source.append({ __name__: name, ...labels }, value === "stale" ? { ...sample, stale: true } : sample);
    }
  }
  return source;
}

const engine = createEngine({ now: () => 0 });
const at = async (source: SeriesSource, query: string, minute: number) => {
  const result = await engine.instant(source, query, minute * MINUTE);
  return resultToJson(result).result;
};

describe("instant selectors", () => {
  const source = load(["up", { job: "a" }, [1, 2, "stale", 4]]);

  it("take the last sample within the lookback, which does not include its own beginning", async () => {
    const series = (value: string, minute: number) => [
      { metric: { __name__: "up", job: "a" }, value: [minute * 60, value] },
    ];
    expect(await at(source, "up", 1.5)).toEqual(series("2", 1.5));
    expect(await at(source, "up", 7.9)).toEqual(series("4", 7.9));
    expect(await at(source, "up", 8)).toEqual([]);
  });

  it("see nothing from a staleness marker until the next sample", async () => {
    expect(await at(source, "up", 2.5)).toEqual([]);
  });

  it("look back as far as the query says", async () => {
    const result = await engine.instant(source, "up", 8 * MINUTE, { lookbackMs: 10 * MINUTE });
    expect(result).toMatchObject({ type: "vector", samples: [{ value: 4 }] });
  });
});

describe("range functions", () => {
  it("extrapolate a rate to the edges of the range, but not below zero", async () => {
    const source = load(["c_total", {}, [0, 60, 120, 180, 240, 300]]);
    expect(await at(source, "rate(c_total[5m])", 5)).toEqual([{ metric: {}, value: [300, "1"] }]);
    expect(await at(source, "increase(c_total[10m])", 5)).toEqual([{ metric: {}, value: [300, "300"] }]);
  });

  it("make up for counter resets", async () => {
    const source = load(["c_total", {}, [10, 20, 5, 10, 15]]);
    expect(await at(source, "resets(c_total[5m])", 4)).toEqual([{ metric: {}, value: [240, "1"] }]);
    expect(await at(source, "increase(c_total[4m])", 4)).toEqual([{ metric: {}, value: [240, "20"] }]);
  });

  it("exclude the sample at the start of their range", async () => {
    const source = load(["g", {}, [1, 2, 3]]);
    expect(await at(source, "count_over_time(g[2m])", 2)).toEqual([{ metric: {}, value: [120, "2"] }]);
  });

  it("run over subqueries at multiples of their step", async () => {
    const source = load(["g", {}, [1, 2, 3, 4, 5, 6]]);
    expect(await at(source, "sum_over_time(g[4m:2m])", 5)).toEqual([{ metric: {}, value: [300, "8"] }]);
  });

  it("remark on metrics that don't look like counters, with the position", async () => {
    const source = load(["gauge", {}, [1, 2, 3]]);
    const result = await engine.instant(source, "  rate(gauge[5m])", 2 * MINUTE);
    expect(result.infos).toEqual([
      'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "gauge" (1:8)',
    ]);
  });
});

describe("operators", () => {
  const source = load(
    ["a", { x: "1", y: "1" }, [6]],
    ["a", { x: "1", y: "2" }, [8]],
    ["b", { x: "1" }, [2]],
    ["b", { x: "2" }, [3]],
  );

  it("match one to many with group_left", async () => {
    expect(await at(source, "a / on (x) group_left b", 0)).toEqual([
      { metric: { x: "1", y: "1" }, value: [0, "3"] },
      { metric: { x: "1", y: "2" }, value: [0, "4"] },
    ]);
  });

  it("refuse matches that are not explicit", async () => {
    await expect(at(source, "b / on () b", 0)).rejects.toMatchObject({
      kind: "execution",
      message:
        'found duplicate series for the match group {} on the right hand-side of the operation: [{__name__="b", x="1"}, {__name__="b", x="2"}];many-to-many matching not allowed: matching labels must be unique on one side',
    });
    await expect(at(source, "a / on (x) b", 0)).rejects.toThrow(
      "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)",
    );
  });

  it("filter by comparison, or give 0 and 1 with bool", async () => {
    expect(await at(source, "a > 7", 0)).toEqual([{ metric: { __name__: "a", x: "1", y: "2" }, value: [0, "8"] }]);
    expect(await at(source, "7 < bool a", 0)).toEqual([
      { metric: { x: "1", y: "1" }, value: [0, "0"] },
      { metric: { x: "1", y: "2" }, value: [0, "1"] },
    ]);
  });

  it("combine sets", async () => {
    expect(await at(source, "b and on (x) a", 0)).toHaveLength(1);
    expect(await at(source, "b unless on (x) a", 0)).toHaveLength(1);
    expect(await at(source, "a or b", 0)).toHaveLength(4);
  });

  it("fail where dropping names leaves two series with the same labels", async () => {
    await expect(
      at(source, '-{__name__=~"a|b", x="1"} * 0 + {__name__=~"b|c", x="1"} or abs({x=~"1|2"})', 0),
    ).resolves.toBeDefined();
    const twins = load(["m1", { x: "1" }, [1]], ["m2", { x: "1" }, [2]]);
    await expect(at(twins, 'abs({x="1"})', 0)).rejects.toThrow("vector cannot contain metrics with the same labelset");
  });
});

describe("aggregations", () => {
  const source = load(
    ["m", { job: "a", i: "1" }, [1]],
    ["m", { job: "a", i: "2" }, [2]],
    ["m", { job: "b", i: "1" }, [4]],
  );

  it.each([
    ["sum by (job) (m)", ["3", "4"]],
    ["avg without (i) (m)", ["1.5", "4"]],
    ["count(m)", ["3"]],
    ["stddev(m)", ["1.247219128924647"]],
    ["quantile(0.5, m)", ["2"]],
    ["topk(1, m)", ["4"]],
    ["bottomk by (job) (1, m)", ["1", "4"]],
    ['count_values("v", m > 1)', ["1", "1"]],
  ])("%s", async (query, values) => {
    const result = (await at(source, query, 0)) as { value: [number, string] }[];
    expect(result.map(({ value }) => value[1])).toEqual(values);
  });
});

describe("range queries", () => {
  it("evaluate at every step and sort the matrix by labels", async () => {
    const source = load(["m", { i: "2" }, [1, 2, undefined]], ["m", { i: "1" }, [undefined, 5, 6]]);
    const result = await engine.range(source, "m * 2", 0, 2 * MINUTE + 1, MINUTE, { lookbackMs: MINUTE });
    expect(resultToJson(result)).toEqual({
      resultType: "matrix",
      result: [
        {
          metric: { i: "1" },
          values: [
            [60, "10"],
            [120, "12"],
          ],
        },
        {
          metric: { i: "2" },
          values: [
            [0, "2"],
            [60, "4"],
          ],
        },
      ],
    });
  });

  it("give scalars as a matrix of one series", async () => {
    const result = await engine.range(load(), "time()", 0, MINUTE, 30_000);
    expect(resultToJson(result).result).toEqual([
      {
        metric: {},
        values: [
          [0, "0"],
          [30, "30"],
          [60, "60"],
        ],
      },
    ]);
  });

  it("evaluate what @ fixes only once", async () => {
    const source = load(["m", {}, [1, 2, 3]]);
    const result = await engine.range(source, "m @ 60", 0, 2 * MINUTE, MINUTE);
    expect(result.series[0]?.values).toEqual(Float64Array.of(2, 2, 2));
  });

  it("refuse range vectors and strings", async () => {
    await expect(engine.range(load(), "m[5m]", 0, 1, 1)).rejects.toMatchObject({
      kind: "bad_data",
      message: 'invalid expression type "range vector" for range query, must be Scalar or instant Vector',
    });
  });
});

describe("the source", () => {
  const counting = (source: SeriesSource) => {
    const calls: [number, number, object][] = [];
    const select: SeriesSource["select"] = (matchers, fromMs, toMs, hints, signal) => {
      calls.push([fromMs, toMs, hints]);
      return source.select(matchers, fromMs, toMs, hints, signal);
    };
    return { calls, source: { select } };
  };

  it("is asked for exactly what the query looks at", async () => {
    const { calls, source } = counting(load(["m", {}, [1, 2]]));
    await engine.range(source, "sum(rate(m[5m] offset 1m))", 10 * MINUTE, 20 * MINUTE, MINUTE);
    expect(calls).toEqual([[4 * MINUTE, 19 * MINUTE, { stepMs: MINUTE, rangeMs: 5 * MINUTE, func: "rate" }]]);
  });

  it("is read once for a selector that occurs twice", async () => {
    const { calls, source } = counting(load(["m", {}, [1, 2]]));
    await engine.instant(source, "m / m", MINUTE);
    expect(calls).toHaveLength(1);
  });

  it("may answer later", async () => {
    const { source } = counting(load(["m", {}, [1, 2]]));
    const slow: SeriesSource = { select: async (...args) => source.select(...args) };
    expect(await at(slow, "sum(m) + max(m)", 1)).toEqual([{ metric: {}, value: [60, "4"] }]);
  });

  it("may fail, which fails the query", async () => {
    const broken: SeriesSource = { select: () => Promise.reject(new Error("disk on fire")) };
    await expect(at(broken, "m", 0)).rejects.toMatchObject({ kind: "execution", message: "disk on fire" });
  });
});

describe("limits", () => {
  const values = Array.from({ length: 100 }, (_, i) => i);
  const source = load(["m", { i: "1" }, values], ["m", { i: "2" }, values]);

  it("stop a query that would hold too many samples", async () => {
    const small = createEngine({ now: () => 0, maxSamples: 150 });
    await expect(small.range(source, "m", 0, 99 * MINUTE, MINUTE)).rejects.toMatchObject({
      kind: "execution",
      message: "query processing would load too many samples into memory in query execution",
    });
    await expect(small.range(source, "sum(m)", 0, 99 * MINUTE, MINUTE)).resolves.toMatchObject({ type: "matrix" });
  });

  it("count what is held at once, not what was held before", async () => {
    const small = createEngine({ now: () => 0, maxSamples: 250 });
    const query = "sum(m) + sum(m) + sum(m) + sum(m) + sum(m)";
    await expect(small.range(source, query, 0, 99 * MINUTE, MINUTE)).resolves.toMatchObject({ type: "matrix" });
  });

  it("stop a query over more steps than any memory holds, at once", async () => {
    for (const query of [
      "vector(1)[100y:1ms]",
      "sum_over_time(m[100y:1ms])",
      "sum_over_time((time() > bool 1 + m)[90y:1ms])",
    ])
      await expect(engine.instant(source, query, 99 * MINUTE)).rejects.toThrow("too many samples");
  });

  it("stop a long query even within one series", async () => {
    let now = 0;
    const long = createEngine({ now: () => (now += 100), timeoutMs: 10_000 });
    const dense = createMemorySource();
    for (let i = 0; i < 20_000; i++) dense.append({ __name__: "d" }, { timestampMs: i * 1000, value: i });
    const query = long.range(dense, "sum_over_time(d[1d])", 0, 20_000_000, 2000);
    await expect(query).rejects.toMatchObject({ kind: "timeout" });
  });

  it("stop a query that takes too long", async () => {
    let now = 0;
    const slow = createEngine({ now: () => (now += 1000), timeoutMs: 1500 });
    await expect(slow.range(source, "m + m", 0, 99 * MINUTE, MINUTE)).rejects.toMatchObject({
      kind: "timeout",
      message: "query timed out in expression evaluation",
    });
  });

  it("stop a query that is cancelled, even while it waits for the source", async () => {
    const controller = new AbortController();
    const never: SeriesSource = { select: () => new Promise(() => {}) };
    const pending = engine.instant(never, "m", 0, { signal: controller.signal });
    controller.abort();
    await expect(pending).rejects.toMatchObject({ kind: "canceled" });
  });

  it("let other work have its turn", async () => {
    let now = 0;
    const busy = createEngine({ now: () => (now += 20) });
    let turns = 0;
    const timer = setImmediate(function count() {
      turns++;
      setImmediate(count).unref();
    });
    await busy.range(source, "m + m", 0, 99 * MINUTE, MINUTE);
    clearImmediate(timer);
    expect(turns).toBeGreaterThan(0);
  });
});

describe("a parsed expression", () => {
  it("may be evaluated many times at different times", async () => {
    const source = load(["m", {}, [1, 2, 3]]);
    const expr = parseExpr("sum(m @ end()) + sum(m offset 1m)");
    const before = JSON.stringify(expr);
    expect(await engine.instant(source, expr, MINUTE)).toMatchObject({ samples: [{ value: 3 }] });
    expect(await engine.instant(source, expr, 2 * MINUTE)).toMatchObject({ samples: [{ value: 5 }] });
    expect(JSON.stringify(expr)).toBe(before);
  });
});

describe("delayed name removal", () => {
  const twins = load(["m1_total", { x: "1" }, [1, 2]], ["m2_total", { x: "1" }, [2, 4]]);
  const delayed = createEngine({ now: () => 0, delayedNameRemoval: true });

  it("lets names that would collide survive until the end", async () => {
    const query = 'sum by (__name__) (rate({x="1"}[5m]))';
    await expect(at(twins, query, 1)).rejects.toThrow("same labelset");
    const result = await delayed.instant(twins, `count(${query})`, MINUTE);
    expect(result).toMatchObject({ samples: [{ value: 2 }] });
  });
});
