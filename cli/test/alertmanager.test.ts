import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { eventually, runTocsin } from "@tocsin/testing";

const BIN = fileURLToPath(new URL("../bin/tocsin.js", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "tocsin-alertmanager-"));
const config = join(folder, "alertmanager.yml");
const GOOD = "route:\n  receiver: a\nreceivers:\n  - name: a\n";

let child: ChildProcess | undefined;
afterEach(() => void child?.kill("SIGKILL"));

async function start(
  ...flags: string[]
): Promise<{ url: string; output: () => string; ended: Promise<number | null> }> {
  child = spawn(
    process.execPath,
    [
      BIN,
      "alertmanager",
      `--config.file=${config}`,
      `--storage.path=${join(folder, "data")}`,
      "--web.listen-address=127.0.0.1:0",
      ...flags,
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child?.once("close", resolve));
  const address = await eventually(
    "it listens",
    20_000,
    async () => /msg="Listening on" address=(\S+)/.exec(output)?.[1],
  );
  const url = `http://${address}`;
  await eventually(
    "it serves",
    10_000,
    async () => (await fetch(`${url}/api/v2/status`)).ok || (await fetch(`${url}/am/api/v2/status`)).ok,
  );
  return { url, output: () => output, ended };
}

test("serves the API, reloads on SIGHUP and by request, keeps the old configuration on a mistake, ends on SIGTERM", async () => {
  writeFileSync(config, GOOD);
  const { url, output, ended } = await start();
  const receivers = async () =>
    ((await (await fetch(`${url}/api/v2/receivers`)).json()) as { name: string }[]).map(({ name }) => name);
  expect(await receivers()).toEqual(["a"]);
  const status = (await (await fetch(`${url}/api/v2/status`)).json()) as { versionInfo: { version: string } };
  expect(status.versionInfo.version).toMatch(/^0\.34\./);

  writeFileSync(config, GOOD.replaceAll("a\n", "b\n"));
  child?.kill("SIGHUP");
  await eventually("the new receiver is there", 5000, async () => (await receivers())[0] === "b");

  writeFileSync(config, "route: {}\n");
  const refused = await fetch(`${url}/-/reload`, { method: "POST" });
  expect(refused.status).toBe(500);
  expect(await refused.text()).toContain("alertmanager.yml:1:");
  expect(await receivers()).toEqual(["b"]);
  expect(await (await fetch(`${url}/metrics`)).text()).toContain("alertmanager_config_last_reload_successful 0");

  child?.kill("SIGTERM");
  expect(await ended).toBe(0);
  expect(output()).toContain("level=INFO");
});

test("everything is below the route prefix", async () => {
  writeFileSync(config, GOOD);
  const { url } = await start("--web.route-prefix=/am");
  expect((await fetch(`${url}/am/-/ready`)).status).toBe(200);
  expect((await fetch(`${url}/api/v2/status`)).status).toBe(404);
  const root = await fetch(`${url}/`, { redirect: "manual" });
  expect([root.status, root.headers.get("location")]).toEqual([302, "/am"]);
});

test("an unknown flag and a bad configuration end the start with a message", async () => {
  expect(await runTocsin(["alertmanager", "--nonsense"])).toMatchObject({
    code: 1,
    output: expect.stringContaining("--nonsense") as string,
  });
  writeFileSync(config, "receivers: []\n");
  const refused = await runTocsin([
    "alertmanager",
    `--config.file=${config}`,
    `--storage.path=${join(folder, "other")}`,
  ]);
  expect([refused.code, refused.output]).toEqual([1, expect.stringMatching(/alertmanager\.yml:1:1.*route/)]);
});
