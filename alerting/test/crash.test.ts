import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { HttpSink } from "./http-sink.ts";

let directory: string;
let sink: HttpSink;
let processes: ChildProcess[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "tocsin-crash-"));
  sink = await new HttpSink().start();
  processes = [];
  writeFileSync(
    join(directory, "alertmanager.yml"),
    `
route: {receiver: hook, group_by: [alertname], group_wait: 200ms, group_interval: 500ms, repeat_interval: 1h}
receivers: [{name: hook, webhook_configs: [{url: '${sink.url}'}]}]
`,
  );
});

afterEach(async () => {
  for (const child of processes) child.kill("SIGKILL");
  await sink.stop();
  rmSync(directory, { recursive: true });
});

async function start(): Promise<{ url: string; child: ChildProcess }> {
  const program = fileURLToPath(new URL("./router-process.ts", import.meta.url));
  const args = ["--conditions=@tocsin/source", program, join(directory, "alertmanager.yml"), directory];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  processes.push(child);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { url: line.toString().trim(), child };
}

async function kill(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
}

const post = (url: string, path: string, body: unknown) =>
  fetch(`${url}/api/v2${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

/** Resolves when the sink has `count` requests. */
async function received(count: number): Promise<void> {
  while (sink.received.length < count) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const answer = sink.answer;
    sink.answer = (response) => {
      response.end();
      sink.answer = answer;
      resolve();
    };
    await promise;
  }
}

const told = () =>
  sink.received.flatMap(({ body }) =>
    (JSON.parse(body) as { alerts: { labels: { alertname: string }; status: string }[] }).alerts.map(
      ({ labels, status }) => `${labels.alertname} ${status}`,
    ),
  );

test("kill -9: everything acknowledged is there again, and nothing is told twice", async () => {
  const first = await start();
  const endsAt = new Date(Date.now() + 3_600_000).toISOString();
  const alerts = ["A", "B", "Quiet"].map((alertname) => ({
    labels: { alertname },
    startsAt: new Date().toISOString(),
    endsAt,
  }));
  const silence = {
    matchers: [{ name: "alertname", value: "Quiet", isRegex: false }],
    startsAt: new Date().toISOString(),
    endsAt,
    createdBy: "ann",
    comment: "",
  };
  expect((await post(first.url, "/silences", silence)).status).toBe(200);
  expect((await post(first.url, "/alerts", alerts)).status).toBe(200);
  await received(2);
  // Posted and acknowledged, then killed before group_wait is over.
  expect(
    (await post(first.url, "/alerts", [{ labels: { alertname: "Late" }, endsAt, startsAt: new Date().toISOString() }]))
      .status,
  ).toBe(200);
  await kill(first.child, "SIGKILL");

  const second = await start();
  await received(3);
  const shown = (await (await fetch(`${second.url}/api/v2/alerts`)).json()) as {
    labels: { alertname: string };
    status: { state: string };
  }[];
  expect(shown.map(({ labels, status }) => `${labels.alertname} ${status.state}`).sort()).toEqual([
    "A active",
    "B active",
    "Late active",
    "Quiet suppressed",
  ]);
  await post(second.url, "/alerts", [{ labels: { alertname: "A" }, endsAt: new Date().toISOString() }]);
  await received(4);
  await kill(second.child, "SIGTERM");
  expect(told().sort()).toEqual(["A firing", "A resolved", "B firing", "Late firing"]);
  expect(second.child.exitCode).toBe(0);
});
