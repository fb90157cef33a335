import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alertmanagerApi, alertmanagerOperations, createAlertRouter, type AlertRouter } from "@tocsin/alerting";
import { createHttpServer, Registry, systemClock } from "@tocsin/platform";
import { silentLogger } from "@tocsin/testing";

const AMTOOL = "/usr/bin/amtool";
const run = promisify(execFile);

const CONFIG = `
global:
  smtp_smarthost: 127.0.0.1:1
  smtp_from: alerts@example.com
  smtp_auth_password: pa55
route:
  receiver: everyone
  group_by: [alertname]
  routes:
    - matchers: ['severity="page"', 'team=~"a|b"']
      receiver: pager
      mute_time_intervals: [nights]
inhibit_rules:
  - {source_matchers: [severity="page"], target_matchers: [severity="warning"], equal: [alertname]}
receivers:
  - name: everyone
    email_configs: [{to: all@example.com}]
  - name: pager
    email_configs: [{to: pager@example.com, headers: {Subject: yes}}]
time_intervals:
  - {name: nights, time_intervals: [{times: [{start_time: 22:00, end_time: 24:00}], days_of_month: ['-3:-1'], months: [may:july]}]}
`;

describe("Debian's amtool against the router", () => {
  let directory: string;
  let router: AlertRouter;
  let url: string;
  const app = createHttpServer({ logger: silentLogger });

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "tocsin-amtool-"));
    const configFile = join(directory, "alertmanager.yml");
    writeFileSync(configFile, CONFIG);
    const registry = new Registry();
    router = createAlertRouter({
      configFile,
      dataDir: directory,
      clock: systemClock,
      logger: silentLogger,
      registry,
      externalUrl: "http://am.example",
      stopGraceMs: 0,
    });
    await router.start();
    await app.register(alertmanagerApi, { router });
    await app.register(alertmanagerOperations, { router, registry });
    url = await app.listen({ host: "127.0.0.1", port: 0 });
  });

  afterAll(async () => {
    await app.close();
    await router.stop();
    rmSync(directory, { recursive: true });
  });

  const amtool = async (...args: string[]) => (await run(AMTOOL, [`--alertmanager.url=${url}`, ...args])).stdout;

  test("alert add, alert query", async () => {
    await amtool("alert", "add", "alertname=High", "severity=page", "team=a", "--annotation=summary=too high");
    await amtool("alert", "add", "Low", "severity=warning");
    expect(await amtool("alert", "query", "-o", "simple")).toMatch(/High .*too high .*active/);
    const found = JSON.parse(await amtool("alert", "query", "-o", "json", "severity=~w.*")) as { labels: object }[];
    expect(found.map(({ labels }) => labels)).toEqual([{ alertname: "Low", severity: "warning" }]);
  });

  test("silence add mutes; query, update and expire follow", async () => {
    const id = (
      await amtool("silence", "add", "alertname=High", "--author=ann", "--comment=maintenance", "--duration=1h")
    ).trim();
    expect(await amtool("silence", "query")).toContain(id);
    expect(await amtool("silence", "query", "alertname=Low")).not.toContain(id);
    const [silenced] = JSON.parse(await amtool("alert", "query", "-o", "json", "--silenced")) as { status: object }[];
    expect(silenced?.status).toMatchObject({ state: "suppressed", silencedBy: [id] });
    await amtool("silence", "update", id, "--comment=longer", "--duration=2h");
    expect(await amtool("silence", "query", "-o", "extended")).toContain("longer");
    const again = (await amtool("silence", "query", "-q")).trim();
    await amtool("silence", "expire", again);
    expect((await amtool("silence", "query", "-q")).trim()).toBe("");
  });

  test("silence export and import", async () => {
    await amtool("silence", "add", "zone=~a|b", "zone!=c", "--author=ann", "--comment=x");
    const file = join(directory, "silences.json");
    writeFileSync(file, await amtool("silence", "query", "-o", "json"));
    await amtool("silence", "import", "--force", file);
    expect((await amtool("silence", "query", "-q")).trim().split("\n")).toHaveLength(2);
  });

  test("config.original is read back strictly: config routes, config routes test, config show", async () => {
    expect(await amtool("config", "routes", "show")).toContain('{severity="page",team=~"a|b"}');
    expect((await amtool("config", "routes", "test", "severity=page", "team=b")).trim()).toBe("pager");
    expect((await amtool("config", "routes", "test", "severity=page", "team=c")).trim()).toBe("everyone");
    const shown = await amtool("config", "show");
    expect(shown).toContain("smtp_auth_password: <secret>");
    expect(shown).not.toContain("pa55");
  });

  test("check-config accepts what the router shows", async () => {
    const file = join(directory, "original.yml");
    writeFileSync(file, router.config.original);
    expect(await amtool("check-config", file)).toContain("SUCCESS");
  });

  test("cluster show knows that there is none", async () => {
    expect(await amtool("cluster", "show")).toContain("disabled");
  });
});
