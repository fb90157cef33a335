import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runTocsin, startTocsin, type TocsinProcess } from "@tocsin/testing";

const folder = mkdtempSync(join(tmpdir(), "tocsin-bad-input-"));
const rules = join(folder, "rules.yml");
const routing = join(folder, "alertmanager.yml");
const GOOD_RULES = "groups:\n  - name: g\n    rules:\n      - alert: Up\n        expr: up == 1\n";
const GOOD_ROUTING = "route:\n  receiver: a\nreceivers:\n  - name: a\n";

let tocsin: TocsinProcess;

beforeAll(async () => {
  writeFileSync(rules, GOOD_RULES);
  writeFileSync(routing, GOOD_ROUTING);
  tocsin = await startTocsin({ args: ["--no-demo", "--rules", rules, "--config.file", routing] });
});

afterAll(() => tocsin?.stop());

async function post(path: string, body: string | Uint8Array, type: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(`${tocsin.address("otlp-http")}${path}`, {
    method: "POST",
    headers: { "content-type": type },
    body,
  });
  return { status: answer.status, text: await answer.text() };
}

async function stillWorks(): Promise<void> {
  const body = JSON.stringify({
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "still here" } }] }] }],
  });
  expect((await post("/v1/logs", body, "application/json")).status).toBe(200);
}

test("malformed OTLP is a 400 that says what is wrong, and the next request is served", async () => {
  const json = await post(
    "/v1/traces",
    '{"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "xyz"}]}]}]}',
    "application/json",
  );
  expect(json.status).toBe(400);
  expect(json.text).toMatch(/traceId/);
  const broken = await post("/v1/logs", '{"resourceLogs": [', "application/json");
  expect(broken.status).toBe(400);
  const protobuf = await post("/v1/metrics", new Uint8Array([10, 200, 1, 1]), "application/x-protobuf");
  expect(protobuf.status).toBe(400);
  const type = await post("/v1/logs", "<logs/>", "text/xml");
  expect(type.status).toBe(415);
  await stillWorks();
});

test("an oversized body is a 413, also when only its inflated form is", async () => {
  const large = await post("/v1/logs", new Uint8Array(33 * 1024 * 1024), "application/x-protobuf");
  expect(large.status).toBe(413);
  await stillWorks();
});

test("a bad rule file stops the start with its place; on reload the old rules stay", async () => {
  const bad = join(folder, "bad-rules.yml");
  writeFileSync(bad, "groups:\n  - name: g\n    rules:\n      - alert: Broken\n        expr: sum(\n");
  const refused = await runTocsin(["up", "--no-demo", "--port", "0", "--data-dir", join(folder, "d1"), "--rules", bad]);
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(/bad-rules\.yml:5:\d+.*parse error/);

  writeFileSync(rules, "groups:\n  - name: g\n    rulez: []\n");
  const reload = await fetch(`${tocsin.address("dashboard")}/-/reload`, { method: "POST" });
  expect(reload.status).toBe(500);
  expect(await reload.text()).toMatch(/rules\.yml:3:5/);
  const { data } = await tocsin.get<{ data: { groups: { rules: { name: string }[] }[] } }>("/api/v1/rules");
  expect(data.groups.flatMap((group) => group.rules.map((rule) => rule.name))).toEqual(["Up"]);

  writeFileSync(rules, GOOD_RULES.replace("Up", "Down"));
  expect((await fetch(`${tocsin.address("dashboard")}/-/reload`, { method: "POST" })).status).toBe(200);
  const after = await tocsin.get<{ data: { groups: { rules: { name: string }[] }[] } }>("/api/v1/rules");
  expect(after.data.groups.flatMap((group) => group.rules.map((rule) => rule.name))).toEqual(["Down"]);
});

test("a bad alertmanager.yml stops the start with its place; on reload the old one stays", async () => {
  const bad = join(folder, "bad-alertmanager.yml");
  writeFileSync(bad, "route:\n  receiver: nobody\nreceivers:\n  - name: a\n");
  const refused = await runTocsin([
    "up",
    "--no-demo",
    "--port",
    "0",
    "--data-dir",
    join(folder, "d2"),
    "--config.file",
    bad,
  ]);
  expect(refused.code).toBe(1);
  expect(refused.output).toMatch(/bad-alertmanager\.yml:2:\d+.*nobody/);

  writeFileSync(routing, GOOD_ROUTING.replace("receiver: a", "reciever: a"));
  const reload = await fetch(`${tocsin.address("dashboard")}/-/reload`, { method: "POST" });
  expect(reload.status).toBe(500);
  expect(await reload.text()).toMatch(/alertmanager\.yml:2:3/);
  expect(await tocsin.get("/api/v2/receivers")).toMatchObject([{ name: "a" }]);
  writeFileSync(routing, GOOD_ROUTING);
});

test("check config and check rules accept the good files and refuse the bad ones with their place", async () => {
  expect(await runTocsin(["check", "config", routing])).toMatchObject({ code: 0 });
  expect(await runTocsin(["check", "rules", rules])).toMatchObject({ code: 0 });
  expect(await runTocsin(["check", "config", join(folder, "bad-alertmanager.yml")])).toMatchObject({
    code: 1,
    output: expect.stringMatching(/bad-alertmanager\.yml:2:/) as string,
  });
  expect(await runTocsin(["check", "rules", join(folder, "bad-rules.yml")])).toMatchObject({
    code: 1,
    output: expect.stringMatching(/bad-rules\.yml:5:/) as string,
  });
});
