import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const running: ChildProcess[] = [];
afterEach(async () => {
  await Promise.all(
    running.splice(0).map(async (child) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "close");
    }),
  );
});

interface Service {
  child: ChildProcess;
  url: string;
  get(path: string): Promise<Response>;
  fault(name: string, active: boolean): Promise<Response>;
}

/** Starts a sample as `npm start` does: the SDK preloaded, a pipe on stdin. */
function launch(name: string, env: Record<string, string> = {}): { child: ChildProcess; output: () => string } {
  const args = ["--conditions=@tocsin/source", "--import", "@tocsin/sdk/register", `sample-apps/${name}/src/main.ts`];
  const child = spawn(process.execPath, args, {
    cwd: root,
    // Nobody listens on the discard port: the samples run without a collector.
    env: { PATH: process.env["PATH"], PORT: "0", OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9", ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  running.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  return { child, output: () => output };
}

async function start(name: string, env: Record<string, string> = {}): Promise<Service> {
  const { child, output } = launch(name, { FAULTS_ENABLED: "1", ...env });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.on("data", () => {
      const [, found] = /^ready (http:\/\/\S+)$/m.exec(output()) ?? [];
      if (found !== undefined) resolve(found);
    });
    child.once("close", () => reject(new Error(`${name} ended: ${output()}`)));
  });
  return {
    child,
    url,
    get: (path) => fetch(url + path),
    fault: (fault, active) =>
      fetch(`${url}/faults/${fault}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ active }),
      }),
  };
}

async function startAll() {
  const [sms, limiter] = await Promise.all([start("sms"), start("rate-limiter")]);
  const api = await start("api", { SMS_URL: sms.url, RATE_LIMITER_URL: limiter.url });
  const order = () =>
    fetch(`${api.url}/orders`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        client: "web",
        phone: "+8613800000001",
        items: [{ sku: "tea", quantity: 1, priceYuan: 20 }],
      }),
    });
  return { sms, limiter, api, order };
}

const metricNames = async (service: Service): Promise<string[]> =>
  [...(await (await service.get("/metrics")).text()).matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name ?? "");

test("serves at least 30 metrics over the three services, business ones among them", async () => {
  const { sms, limiter, api, order } = await startAll();
  expect((await order()).status).toBe(201);
  const names = new Set((await Promise.all([sms, limiter, api].map(metricNames))).flat());
  expect([...names]).toEqual(
    expect.arrayContaining([
      "sms_messages_total",
      "sms_provider_up",
      "sms_send_duration_seconds",
      "sms_failover_total",
      "sms_queue_depth",
      "sms_codes_issued_total",
      "sms_codes_verified_total",
      "rate_limiter_decisions_total",
      "rate_limiter_bucket_capacity",
      "rate_limiter_tokens",
      "orders_total",
      "logins_total",
      "order_value_yuan",
      "gateway_upstream_requests_total",
      "gateway_upstream_duration_seconds",
      "gateway_circuit_open",
      "http_server_request_duration_seconds",
      "nodejs_eventloop_lag_p99_seconds",
      "process_resident_memory_bytes",
    ]),
  );
  expect(names.size).toBeGreaterThanOrEqual(40);
});

test("fails every message in a provider outage and sends again after it", async () => {
  const { sms, order } = await startAll();
  const confirmation = async () => ((await (await order()).json()) as { confirmation: string }).confirmation;
  await sms.fault("provider_outage", true);
  expect([await confirmation(), await confirmation(), await confirmation()]).toEqual(["failed", "failed", "failed"]);
  await sms.fault("provider_outage", false);
  expect(await confirmation()).toBe("sent");
});

test("drives load that the gateway answers, with codes that are right and some that are wrong", async () => {
  const { sms, api } = await startAll();
  launch("load", { API_URL: api.url, SMS_URL: sms.url, LOAD_RPS: "60", LOAD_SWING: "0" });
  const counted = async (): Promise<string[]> => {
    const page = await (await api.get("/metrics")).text();
    return [...page.matchAll(/^(orders|logins)_total\{outcome="(\w+)"\} [1-9]/gm)].map(
      ([, what, how]) => `${what} ${how}`,
    );
  };
  await expect
    .poll(counted, { timeout: 20_000 })
    .toEqual(expect.arrayContaining(["orders accepted", "orders invalid", "logins code_sent", "logins confirmed"]));
});

test("stops with code 0 within two seconds of SIGTERM", async () => {
  const sms = await start("sms");
  const began = performance.now();
  sms.child.kill("SIGTERM");
  expect(await once(sms.child, "close")).toEqual([0, null]);
  expect(performance.now() - began).toBeLessThan(2000);
});

test.each(["sms", "load"])("ends when the process that started it is gone: %s", async (name) => {
  const { child, output } = launch(name);
  await expect.poll(output, { timeout: 15_000 }).toContain("ready ");
  child.stdin?.end();
  expect(await once(child, "close")).toEqual([0, null]);
});

test("crashes on demand, with the exception's exit code", async () => {
  const limiter = await start("rate-limiter");
  expect((await limiter.fault("crash", true)).status).toBe(200);
  expect(await once(limiter.child, "close")).toEqual([1, null]);
});

test("has no fault panel unless it is enabled", async () => {
  const sms = await start("sms", { FAULTS_ENABLED: "0" });
  expect((await sms.get("/faults")).status).toBe(404);
});

test("names a port that is taken and ends with code 1", async () => {
  const squatter = createServer();
  await new Promise<void>((resolve) => squatter.listen(0, "127.0.0.1", resolve));
  const { port } = squatter.address() as AddressInfo;
  const { child, output } = launch("sms", { PORT: String(port) });
  expect(await once(child, "close")).toEqual([1, null]);
  expect(output()).toContain(`cannot listen on 127.0.0.1:${port}: listen EADDRINUSE`);
  squatter.close();
});
