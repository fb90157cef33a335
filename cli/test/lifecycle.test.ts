import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { afterEach, expect, test } from "vitest";
import { eventually, runTocsin, startTocsin, type TocsinProcess } from "@tocsin/testing";

const running: TocsinProcess[] = [];

async function start(...args: Parameters<typeof startTocsin>): Promise<TocsinProcess> {
  const tocsin = await startTocsin(...args);
  running.push(tocsin);
  return tocsin;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((tocsin) => tocsin.stop("SIGKILL")));
});

interface Services {
  items: { name: string }[];
}
interface Logs {
  items: { id: string; message: string }[];
}

/** Process ids of all descendants, from /proc. */
function descendants(pid: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      parents.set(Number(name), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      continue; // it ended while we looked
    }
  }
  const children = (of: number): number[] =>
    [...parents].filter(([, parent]) => parent === of).flatMap(([child]) => [child, ...children(child)]);
  return children(pid);
}

test("npm start is ready in 15 s, three services report by themselves, and Ctrl-C ends everything in 5 s", async () => {
  const first = await start();
  expect(first.readyMs).toBeLessThan(15_000);
  expect((await fetch(`${first.address("dashboard")}/-/ready`)).status).toBe(200);
  await eventually("three services report", 30_000, async () => {
    const { items } = await first.get<Services>("/api/tocsin/v1/services?from=now-15m&to=now");
    return ["api", "rate-limiter", "sms"].every((name) => items.some((item) => item.name === name));
  });
  const logs = await eventually("logs arrive", 20_000, async () => {
    const { items } = await first.get<Logs>("/api/tocsin/v1/logs?limit=5");
    return items.length === 5 && items;
  });
  const children = descendants(first.pid);
  expect(children.length).toBeGreaterThanOrEqual(4);

  const { code, tookMs } = await first.stop("SIGINT");
  expect(code).toBe(0);
  expect(tookMs).toBeLessThan(5000);
  await eventually("no process is left", 1000, async () => children.every((pid) => !isAlive(pid)));

  const second = await start({ dataDir: first.dataDir, args: ["--no-demo"] });
  const kept = await second.get<Logs>("/api/tocsin/v1/logs?limit=1000");
  expect(kept.items.map((item) => item.id)).toEqual(expect.arrayContaining(logs.map((item) => item.id)));
  const samples = await second.get<{ data: { result: unknown[] } }>(
    `/api/v1/query?query=${encodeURIComponent('count_over_time(up{job="sms"}[15m])')}`,
  );
  expect(samples.data.result).toHaveLength(1);
  expect(descendants(second.pid)).toEqual([]);
});

test("kill -9 of the platform takes the sample services with it", async () => {
  const tocsin = await start();
  const children = descendants(tocsin.pid);
  expect(children.length).toBeGreaterThanOrEqual(4);
  await tocsin.stop("SIGKILL");
  await eventually("no process is left", 20_000, async () => children.every((pid) => !isAlive(pid)));
});

test("a taken default port moves and the banner says so; a taken port that was set is an error", async () => {
  const taken = createServer();
  const holdsDefault = await new Promise<boolean>((resolve) => {
    taken.once("error", () => resolve(false));
    taken.listen(9400, "127.0.0.1", () => resolve(true));
  });
  try {
    const tocsin = await start({ args: ["--no-demo"], defaults: ["port"] });
    expect(tocsin.address("dashboard")).not.toBe("http://127.0.0.1:9400");
    expect(tocsin.output()).toMatch(/port 9400 is taken.*--port 94\d\d/);
    const refused = await runTocsin(["up", "--no-demo", "--port", "9400", "--data-dir", `${tocsin.dataDir}-other`]);
    expect(refused.code).toBe(1);
    expect(refused.output).toContain("port 9400 for the dashboard is taken on 127.0.0.1");
  } finally {
    if (holdsDefault) taken.close();
  }
});

test("a data folder in use, and one that cannot be written, are told by name", async () => {
  const tocsin = await start({ args: ["--no-demo"] });
  const second = await runTocsin(["up", "--no-demo", "--port", "0", "--data-dir", tocsin.dataDir]);
  expect([second.code, second.output]).toEqual([
    1,
    expect.stringContaining(`the data folder ${tocsin.dataDir} is in use by process ${tocsin.pid}`),
  ]);
  const unwritable = await runTocsin(["up", "--no-demo", "--port", "0", "--data-dir", "/proc/tocsin"]);
  expect([unwritable.code, unwritable.output]).toEqual([
    1,
    expect.stringContaining("cannot write the data folder /proc/tocsin"),
  ]);
});

test("a non-loopback address without authentication is refused with the way out", async () => {
  const refused = await runTocsin(["up", "--no-demo", "--host", "0.0.0.0"]);
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(/0\.0\.0\.0.*--allow-unauthenticated-bind/);
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
