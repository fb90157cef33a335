import { ParseError, createEngine, createMemorySource, formatExpr, parseExpr } from "@tocsin/promql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { EXPERIMENTAL } from "./adapter.mjs";
import { type QueryRequest, askOurs, difference, fromReference, loadRequest } from "./differential.ts";
import { DATA_END, DATA_START, generateData } from "./generate-data.ts";
import { QueryGenerator, mutilate } from "./generate-query.ts";
import { Random } from "./random.ts";
import { ReferenceProcess, buildReference } from "./reference-process.ts";

/** `PROMQL_SEEDS=7,8 PROMQL_QUERIES=5000` run others, or more. */
const seeds = (process.env["PROMQL_SEEDS"] ?? "1,2,3,4").split(",").map(Number);
const queries = Number(process.env["PROMQL_QUERIES"] ?? 500);

const RETRIES = 20;
const modes = [
  { delayed: false, experimental: false },
  { delayed: true, experimental: false },
  { delayed: true, experimental: true },
];

const binary = buildReference();

describe.skipIf(binary === undefined)("the reference engine agrees on random queries over random data", () => {
  let reference: ReferenceProcess;
  beforeAll(() => {
    reference = new ReferenceProcess(binary ?? "");
  });
  afterAll(() => reference.close());

  it.each(seeds.flatMap((seed) => modes.map((mode) => ({ seed, ...mode }))))(
    "seed $seed, delayed name removal $delayed, experimental features $experimental",
    async ({ seed, delayed, experimental }) => {
      const random = new Random(seed);
      const data = generateData(random);
      const source = createMemorySource();
      for (const { labels, samples } of data) for (const sample of samples) source.append(labels, sample);
      await reference.ask(loadRequest(data));
      const options = { ...EXPERIMENTAL, delayedNameRemoval: delayed, useStartTimestamps: false };
      const engine = createEngine({ ...options, now: () => performance.now() });
      const generator = new QueryGenerator(random, experimental);
      const wrong: string[] = [];
      for (let i = 0; i < queries; i++) {
        const request = randomRequest(random, generator.query());
        const ours = await askOurs(engine, source, request);
        const ask = async () =>
          difference(
            fromReference(await reference.ask({ op: "query", flags: true, delayed, ...request }), request),
            ours,
          );
        let found = await ask();
        // Where its answer depends on the order of a hash map, the reference gives ours sooner or later.
        for (let again = 0; found !== undefined && again < RETRIES; again++) found = await ask();
        if (found) wrong.push(`${JSON.stringify(request)}\n  ${found}`);
      }
      console.log(
        `seed ${seed}, delayed ${delayed}, experimental ${experimental}: ${queries - wrong.length} agree, ${wrong.length} differ`,
      );
      expect(wrong.slice(0, 20)).toEqual([]);
    },
  );
});

describe.skipIf(binary === undefined)("the reference parser agrees on mutilated queries", () => {
  it.each(seeds)("seed %d", async (seed) => {
    const reference = new ReferenceProcess(binary ?? "");
    const random = new Random(seed);
    const generator = new QueryGenerator(random, true);
    const wrong: string[] = [];
    for (let i = 0; i < queries; i++) {
      const q = mutilate(random, generator.query());
      const flags = random.chance(0.8);
      const expected = (await reference.ask({ op: "parse", q, flags })) as { error?: string; printed?: string };
      const actual = parsed(q, flags);
      if (actual !== (expected.error ?? expected.printed))
        wrong.push(`${q}\n  expected ${expected.error ?? expected.printed}\n  got      ${actual}`);
    }
    await reference.close();
    console.log(`parser, seed ${seed}: ${queries - wrong.length} agree, ${wrong.length} differ`);
    expect(wrong).toEqual([]);
  });
});

function parsed(q: string, flags: boolean): string {
  try {
    return formatExpr(parseExpr(q, flags ? EXPERIMENTAL : {}));
  } catch (error) {
    if (error instanceof ParseError) return error.message;
    throw error;
  }
}

function randomRequest(random: Random, q: string): QueryRequest {
  const start = random.int(DATA_START / 1000 - 300, DATA_END / 1000 + 300) * 1000 + (random.chance(0.1) ? 123 : 0);
  if (random.chance(0.4)) return { q, start, end: start, step: 0 };
  const step = random.pick([15_000, 60_000, 300_000, 77_000]);
  return { q, start, end: start + random.int(1, 30) * step + random.int(0, 1) * 1000, step };
}
