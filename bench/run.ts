import { readdirSync } from "node:fs";

/** A benchmark ends in lines `ratio what VALUE goal <=BOUND` or `>=BOUND`; `printRatio` writes them. */
export interface Benchmark {
  readonly summary: string;
  run(): Promise<void>;
}

export function printRatio(what: string, value: number, goal: `${"<=" | ">="}${number}`): void {
  console.log(`ratio ${what} ${Number(value.toPrecision(3))} goal ${goal}`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

// Not awaited: a benchmark imports this module, and would wait for it to have ended.
if (import.meta.main) void main(process.argv[2]);

async function main(name: string | undefined): Promise<void> {
  const names = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith(".bench.ts"))
    .map((file) => file.replace(".bench.ts", ""));
  if (name === undefined || !names.includes(name)) {
    console.error("usage: npm run bench -- NAME\n");
    for (const each of names) console.error(`  ${each.padEnd(14)} ${(await load(each)).summary}`);
    process.exitCode = 2;
    return;
  }
  await (await load(name)).run();
}

async function load(name: string): Promise<Benchmark> {
  const module = (await import(`./${name}.bench.ts`)) as { default: Benchmark };
  return module.default;
}
