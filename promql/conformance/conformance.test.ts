import { existsSync, readFileSync } from "node:fs";
import { type Expr, ParseError, formatExpr, parseExpr } from "@tocsin/promql";
import { describe, expect, it } from "vitest";
import { EXPERIMENTAL, createAdapter } from "./adapter.mjs";

const cases = new URL("../../../shared/data/promql/", import.meta.url);
const runner = new URL("run-promqltest.mjs", cases);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, cases), "utf8"));

interface Verdict {
  id: string;
  expr: string;
  verdict: "pass" | "fail" | "skip";
  why?: string;
}

/** Tags of cases that need a feature flag; native histograms are none. */
const EXPERIMENTAL_TAGS = [
  "experimental-functions",
  "duration-expressions",
  "extended-range-selectors",
  "binop-fill",
  "delayed-name-removal",
  "use-start-timestamps",
];

async function run(options: object, skipTags: string[]): Promise<Verdict[]> {
  const { loadScripts, runScripts } = await import(runner.href);
  const tags = read("feature-tags.json");
  return runScripts(loadScripts([new URL("cases", cases).pathname]), createAdapter(options), {
    rangeCheck: true,
    tags,
    skipTags,
  });
}

function report(title: string, verdicts: readonly Verdict[]): Verdict[] {
  const of = (verdict: Verdict["verdict"]) => verdicts.filter((v) => v.verdict === verdict);
  console.log(`${title}: ${of("pass").length} passed, ${of("fail").length} failed, ${of("skip").length} skipped`);
  for (const { id, expr, why } of of("fail")) console.log(`FAIL ${id} ${expr}\n  ${why}`);
  return of("fail");
}

describe.skipIf(!existsSync(runner))("the reference's own cases", () => {
  it("all pass that need no experimental feature, with none enabled", async () => {
    const verdicts = await run({}, EXPERIMENTAL_TAGS);
    expect(report("stable", verdicts)).toEqual([]);
    expect(verdicts.filter(({ verdict }) => verdict === "pass").length).toBeGreaterThan(1000);
  });

  it("all pass with every feature enabled", async () => {
    const tags = read("feature-tags.json") as Record<string, string[]>;
    const verdicts = await run(EXPERIMENTAL, []);
    for (const tag of EXPERIMENTAL_TAGS)
      report(
        tag,
        verdicts.filter(({ id }) => tags[id]?.includes(tag)),
      );
    expect(report("everything", verdicts)).toEqual([]);
  });

  it("the parser agrees with every verdict of the corpus", () => {
    const corpus = read("parser-corpus.json") as CorpusEntry[];
    const wrong = corpus.map(disagreement).filter((text) => text !== undefined);
    console.log(`parser corpus: ${corpus.length - wrong.length} passed, ${wrong.length} failed`);
    expect(wrong).toEqual([]);
  });
});

interface CorpusEntry {
  q: string;
  err?: string;
  printed?: string;
  type?: string;
  span?: [number, number];
  shape?: string[];
}

const utf8 = new TextEncoder();

function disagreement({ q, err, printed, type, span, shape }: CorpusEntry): string | undefined {
  const expected = err ?? JSON.stringify({ printed, type, span, shape });
  let actual: string;
  try {
    const expr = parseExpr(q, EXPERIMENTAL);
    const bytes = (at: number) => utf8.encode(q.slice(0, at)).length;
    actual = JSON.stringify({
      printed: formatExpr(expr),
      type: typeOfExpr(expr),
      span: [bytes(expr.pos.start), bytes(expr.pos.end)],
      shape: shapeOf(expr, bytes),
    });
  } catch (error) {
    if (!(error instanceof ParseError)) throw error;
    actual = error.message;
  }
  return actual === expected ? undefined : `${q}\n  expected ${expected}\n  got      ${actual}`;
}

function typeOfExpr(expr: Expr): string {
  switch (expr.type) {
    case "number":
      return "scalar";
    case "string":
      return "string";
    case "paren":
    case "unary":
      return typeOfExpr(expr.expr);
    case "binary":
      return typeOfExpr(expr.lhs) === "scalar" && typeOfExpr(expr.rhs) === "scalar" ? "scalar" : "vector";
    case "call":
      return SCALAR_FUNCTIONS.has(expr.func) ? "scalar" : "vector";
    case "matrixSelector":
    case "subquery":
      return "matrix";
    case "vectorSelector":
    case "aggregate":
      return "vector";
  }
}

const SCALAR_FUNCTIONS = new Set(["pi", "time", "scalar", "start", "end", "range", "step", "max_of", "min_of"]);

/** The corpus' short form of a tree: its aggregations, operators, calls and signs, from the outside in. */
function shapeOf(expr: Expr, bytes: (at: number) => number): string[] {
  const at = ({ pos }: Expr) => `${bytes(pos.start)}-${bytes(pos.end)}`;
  const inside = (...all: Expr[]) => all.flatMap((child) => shapeOf(child, bytes));
  switch (expr.type) {
    case "aggregate": {
      const own = `A${expr.op}:${expr.without}:[${expr.grouping.join(" ")}]`;
      return [own, ...inside(expr.expr, ...(expr.param ? [expr.param] : []))];
    }
    case "binary":
      return [`B${expr.op}:${at(expr.lhs)}|${at(expr.rhs)}`, ...inside(expr.lhs, expr.rhs)];
    case "call":
      return [`C${expr.func}:${expr.args.length}`, ...inside(...expr.args)];
    case "unary":
      return [`U${expr.op}:${at(expr.expr)}`, ...inside(expr.expr)];
    case "paren":
    case "subquery":
      return inside(expr.expr);
    case "number":
    case "string":
    case "vectorSelector":
    case "matrixSelector":
      return [];
  }
}
