import { ParseError, QueryError, createEngine, createMemorySource, parseExpr } from "@tocsin/promql";
import { describe, expect, it } from "vitest";
import { EXPERIMENTAL } from "./adapter.mjs";
import { DATA_START, generateData } from "./generate-data.ts";
import { QueryGenerator, mutilate } from "./generate-query.ts";
import { Random } from "./random.ts";

/** `PROMQL_FUZZ=100000` runs more. */
const runs = Number(process.env["PROMQL_FUZZ"] ?? 5000);

/** Far more than any of the generated queries takes. */
const PATIENCE_MS = 5000;

function isQuery(text: string): boolean {
  try {
    parseExpr(text, EXPERIMENTAL);
    return true;
  } catch (error) {
    expect(error).toBeInstanceOf(ParseError);
    return false;
  }
}

describe("random expressions", () => {
  it("give an answer or a proper error, in time", async () => {
    const random = new Random(runs);
    const source = createMemorySource();
    for (const { labels, samples } of generateData(random)) for (const s of samples) source.append(labels, s);
    const engine = createEngine({ ...EXPERIMENTAL, now: () => performance.now(), timeoutMs: PATIENCE_MS });
    const generator = new QueryGenerator(random, true);
    let evaluated = 0;
    for (let i = 0; i < runs; i++) {
      const q = random.chance(0.3) ? generator.query() : mutilate(random, generator.query());
      if (!isQuery(q)) continue;
      evaluated++;
      const at = DATA_START + random.int(0, 10_000) * 1000;
      try {
        if (random.chance(0.5)) await engine.instant(source, q, at);
        else await engine.range(source, q, at, at + random.int(0, 20) * 60_000, 60_000);
      } catch (error) {
        // A cause would be something that broke inside.
        expect(error, q).toBeInstanceOf(QueryError);
        expect((error as QueryError).cause, q).toBeUndefined();
        expect((error as QueryError).kind, q).not.toBe("timeout");
      }
    }
    console.log(`${runs} random expressions, ${evaluated} of them evaluated`);
  });
});
