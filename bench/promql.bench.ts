import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { z } from "zod";
import { type Peer, prometheusPeer, tocsinPeer } from "./promql/peer.ts";
import { type Benchmark, median, printRatio } from "./run.ts";

/** Data and queries that both sides get: 4,800 series, 6 hours every 15 s. */
const DATA = resolve(import.meta.dirname, "../../shared/data/bench-promql");
const ROUNDS = Number(process.env["TOCSIN_BENCH_ROUNDS"] ?? 5);
/** How long both sides have to compact what they took; Prometheus looks once a minute. */
const SETTLE_MS = Number(process.env["TOCSIN_BENCH_SETTLE_S"] ?? 90) * 1000;
/** Enough for /proc's ticks of 10 ms. */
const REPEATS = { range: 4, instant: 20 } as const;

const Queries = z.object({
  base: z.number(),
  queries: z.array(
    z.discriminatedUnion("type", [
      z.object({
        id: z.string(),
        type: z.literal("range"),
        expr: z.string(),
        start: z.number(),
        end: z.number(),
        step: z.number(),
      }),
      z.object({ id: z.string(), type: z.literal("instant"), expr: z.string(), time: z.number() }),
    ]),
  ),
});
type Query = z.infer<typeof Queries>["queries"][number];

const Loaded = z.object({ sent: z.number() });
const Answer = z.object({
  data: z.object({ result: z.array(z.object({ values: z.array(z.unknown()).optional() })) }),
});

const benchmark: Benchmark = {
  summary: "PromQL and the sample store beside Debian's Prometheus: CPU per query, disk, ingest, memory, start",
  async run() {
    const { base, queries } = Queries.parse(JSON.parse(readFileSync(join(DATA, "queries.json"), "utf8")));
    const dir = mkdtempSync(join(tmpdir(), "promql-bench-"));
    const ours = tocsinPeer(join(dir, "tocsin"));
    const theirs = prometheusPeer(join(dir, "prometheus"));
    const both = [ours, theirs];
    try {
      for (const peer of both) await peer.start("/api/v1/status/buildinfo");
      const loads = [await load(ours), await load(theirs)] as const;
      console.log(`settling for ${SETTLE_MS / 1000} s`);
      await pause(SETTLE_MS);
      const rss = both.map((peer) => peer.rssMb());
      const bytes = both.map((peer) => peer.diskBytes() / loads[0].samples);
      print("memory after loading, MB", rss);
      print("bytes per sample on disk", bytes);
      const ratios = await compareQueries(queries, base, ours, theirs);
      const [first] = queries;
      const starts = await restart(both, first === undefined ? "/" : pathOf(first, base));
      print("seconds from kill -9 to the first answer", starts);

      const group = (is: (query: Query) => boolean) =>
        geometricMean(queries.filter(is).map(({ id }) => ratios.get(id)));
      printRatio(
        "range_aggregated",
        group((query) => query.type === "range" && !isPlain(query)),
        "<=0.5",
      );
      printRatio(
        "instant",
        group(({ type }) => type === "instant"),
        "<=1",
      );
      printRatio("unaggregated", group(isPlain), "<=1.5");
      printRatio("bytes_per_sample", bytes[0] ?? Number.NaN, "<=2");
      printRatio("ingest_m_per_cpu_s", loads[0].perCpuSecond / 1e6, ">=1");
      // Megabytes over Prometheus.
      printRatio("rss", (rss[0] ?? Number.NaN) - (rss[1] ?? Number.NaN), "<=60");
      printRatio("start_s", starts[0] ?? Number.NaN, "<=5");
    } finally {
      for (const peer of both) await peer.kill();
      rmSync(dir, { recursive: true, force: true });
    }
  },
};

export default benchmark;

/** A range query whose answer is as many series as it reads. */
const isPlain = ({ type, expr }: Query): boolean => type === "range" && expr.startsWith("rate(");

function pathOf(query: Query, base: number): string {
  const expr = encodeURIComponent(query.expr);
  return query.type === "range"
    ? `/api/v1/query_range?query=${expr}&start=${base + query.start}&end=${base + query.end}&step=${query.step}`
    : `/api/v1/query?query=${expr}&time=${base + query.time}`;
}

/** Sends all samples by remote write, as Prometheus itself would. */
async function load(peer: Peer): Promise<{ samples: number; perCpuSecond: number }> {
  const before = peer.cpuMs();
  const { stdout } = await promisify(execFile)(process.execPath, [
    join(DATA, "gen.mjs"),
    "remote-write",
    `${peer.url}/api/v1/write`,
  ]);
  const { sent } = Loaded.parse(JSON.parse(stdout));
  const cpuSeconds = (peer.cpuMs() - before) / 1000;
  const perCpuSecond = sent / cpuSeconds;
  console.log(
    `${peer.name}: ${sent} samples by remote write, ${cpuSeconds.toFixed(1)} s of CPU, ${(perCpuSecond / 1e6).toFixed(2)} M per CPU second`,
  );
  return { samples: sent, perCpuSecond };
}

/** CPU of ours over CPU of theirs, by query: the median of rounds that take turns. */
async function compareQueries(queries: readonly Query[], base: number, ours: Peer, theirs: Peer) {
  const costs = new Map<string, number[]>();
  const cost = (peer: Peer, id: string) => median(costs.get(`${peer.name} ${id}`) ?? []);
  for (const query of queries) {
    const [a, b] = [await shapeOf(ours, pathOf(query, base)), await shapeOf(theirs, pathOf(query, base))];
    if (a !== b) console.log(`${query.id}: answers differ: tocsin ${a}, prometheus ${b}`);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const query of queries) {
      for (const peer of round % 2 === 0 ? [ours, theirs] : [theirs, ours]) {
        const key = `${peer.name} ${query.id}`;
        costs.set(key, [...(costs.get(key) ?? []), await cpuPerQuery(peer, query, base)]);
      }
    }
  }
  console.log("CPU per query, ms: median of rounds");
  const ratios = new Map<string, number>();
  for (const { id, expr } of queries) {
    const [a, b] = [cost(ours, id), cost(theirs, id)];
    ratios.set(id, a / b);
    console.log(
      `  ${id}  tocsin ${a.toFixed(1).padStart(7)}  prometheus ${b.toFixed(1).padStart(7)}  ${(a / b).toFixed(2).padStart(5)}×  ${expr}`,
    );
  }
  return ratios;
}

async function cpuPerQuery(peer: Peer, query: Query, base: number): Promise<number> {
  const path = pathOf(query, base);
  const before = peer.cpuMs();
  for (let i = 0; i < REPEATS[query.type]; i++) await peer.get(path);
  return (peer.cpuMs() - before) / REPEATS[query.type];
}

async function shapeOf(peer: Peer, path: string): Promise<string> {
  const { result } = Answer.parse(JSON.parse(await peer.get(path))).data;
  const points = result.reduce((sum, { values }) => sum + (values?.length ?? 1), 0);
  return `${result.length} series, ${points} points`;
}

async function restart(peers: readonly Peer[], path: string): Promise<number[]> {
  const seconds: number[] = [];
  for (const peer of peers) {
    await peer.kill();
    seconds.push(await peer.start(path));
  }
  return seconds;
}

function geometricMean(ratios: readonly (number | undefined)[]): number {
  const known = ratios.filter((ratio) => ratio !== undefined);
  return Math.exp(known.reduce((sum, ratio) => sum + Math.log(ratio), 0) / known.length);
}

function print(what: string, [ours, theirs]: readonly number[]): void {
  console.log(`${what}: tocsin ${ours?.toFixed(2)}, prometheus ${theirs?.toFixed(2)}`);
}
