import type { ServerResponse } from "node:http";
import { ManualClock } from "@tocsin/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SmallServer, startDiscovery } from "../../../../testing/discovery.ts";
import { etcd } from "./etcd-discovery.ts";

const b64 = (text: string) => Buffer.from(text).toString("base64");
const kv = (instance: string, value: unknown, lease = "77") => ({
  key: b64(`/tocsin/services/${instance}`),
  value: b64(typeof value === "string" ? value : JSON.stringify(value)),
  lease,
});

let server: SmallServer;
let clock: ManualClock;
let kvs: object[];
let watches: ServerResponse[];
/** What the gateway of etcd answers, with the state in `kvs`. */
beforeEach(async () => {
  kvs = [kv("sms/a", { address: "10.0.0.1:80", labels: { zone: "a" } })];
  watches = [];
  clock = new ManualClock();
  server = await new SmallServer((request, response) => {
    if (request.url === "/v3/auth/authenticate") return void response.end(JSON.stringify({ token: "t.1" }));
    if (request.url === "/v3/kv/range")
      return void response.end(JSON.stringify({ header: { revision: "41" }, kvs, count: String(kvs.length) }));
    watches.push(response);
    response.write(`${JSON.stringify({ result: { header: { revision: "41" }, created: true } })}\n`);
  }).start();
});
afterEach(() => server.stop());

const start = (config: object = {}) =>
  startDiscovery(etcd, { endpoints: [`http://${server.address}`], ...config }, clock);
const send = (...events: object[]) =>
  watches.at(-1)?.write(`${JSON.stringify({ result: { header: { revision: "42" }, events } })}\n`);

describe("a list of instances", () => {
  test("is read below the prefix and watched from there on", async () => {
    await using running = await start();
    await expect.poll(() => watches.length).toBe(1);
    expect(running.groups).toEqual([
      {
        targets: ["10.0.0.1:80"],
        labels: {
          zone: "a",
          __meta_etcd_key: "/tocsin/services/sms/a",
          __meta_etcd_service: "sms",
          __meta_etcd_instance: "a",
          __meta_etcd_lease: "77",
        },
      },
    ]);
    const range = { key: b64("/tocsin/services/"), range_end: b64("/tocsin/services0") };
    expect(server.requests.map(({ url, body }) => [url, JSON.parse(body)])).toEqual([
      ["/v3/kv/range", { ...range, limit: "10000" }],
      ["/v3/watch", { create_request: { ...range, start_revision: "42" } }],
    ]);
    send({ kv: kv("sms/b", { address: "10.0.0.2:80" }) });
    await expect.poll(() => running.addresses()).toEqual(["10.0.0.1:80", "10.0.0.2:80"]);
    send({ type: "DELETE", kv: { key: b64("/tocsin/services/sms/a") } });
    await expect.poll(() => running.addresses()).toEqual(["10.0.0.2:80"]);
  });

  test("is put together when an event comes in pieces", async () => {
    await using running = await start();
    await expect.poll(() => watches.length).toBe(1);
    const line = JSON.stringify({ result: { events: [{ kv: kv("sms/é", { address: "10.0.0.2:80" }) }] } });
    watches[0]?.write(line.slice(0, 30));
    await expect.poll(() => running.updates).toBe(1);
    watches[0]?.write(`${line.slice(30)}\n`);
    await expect.poll(() => running.addresses()).toEqual(["10.0.0.1:80", "10.0.0.2:80"]);
  });

  test("leaves out and counts values that name no target", async () => {
    kvs.push(kv("sms/x", "10.0.0.7:80"), kv("sms/y", { host: "10.0.0.8" }));
    await using running = await start();
    await expect.poll(() => running.addresses()).toEqual(["10.0.0.1:80"]);
    expect(await running.metric("invalid_entries_total")).toBe(2);
  });

  test("is read anew at every refresh, which ends the watch before", async () => {
    await using running = await start({ refresh_interval: "1m" });
    await expect.poll(() => watches.length).toBe(1);
    kvs = [kv("sms/c", { address: "10.0.0.3:80" })];
    await clock.advance(60_000);
    await expect.poll(() => running.addresses()).toEqual(["10.0.0.3:80"]);
    await expect.poll(() => watches[0]?.destroyed).toBe(true);
    expect(await running.metric("failures_total")).toBe(0);
  });
});

describe("the last known list stays", () => {
  test("while etcd is away, and is replaced when it is back", async () => {
    await using running = await start();
    await expect.poll(() => watches.length).toBe(1);
    await server.stop();
    await expect.poll(() => running.metric("registries_away")).toBe(1);
    expect(running.addresses()).toEqual(["10.0.0.1:80"]);
    kvs = [kv("sms/d", { address: "10.0.0.4:80" })];
    await server.start();
    await clock.advance(1000);
    await expect.poll(() => running.addresses()).toEqual(["10.0.0.4:80"]);
    expect(await running.metric("registries_away")).toBe(0);
  });

  test("when the watch is cancelled because its revision is compacted, and the list is read anew", async () => {
    await using running = await start();
    await expect.poll(() => watches.length).toBe(1);
    kvs = [kv("sms/e", { address: "10.0.0.5:80" })];
    watches[0]?.write(`${JSON.stringify({ result: { canceled: true, compact_revision: "50" } })}\n`);
    await expect.poll(() => running.metric("failures_total")).toBe(1);
    expect(running.addresses()).toEqual(["10.0.0.1:80"]);
    await clock.advance(1000);
    await expect.poll(() => running.addresses()).toEqual(["10.0.0.5:80"]);
  });
});

test("the next endpoint is tried when one is away", async () => {
  await using running = await start({ endpoints: ["http://127.0.0.1:1", `http://${server.address}/`] });
  await expect.poll(() => running.metric("failures_total")).toBe(1);
  await clock.advance(1000);
  await expect.poll(() => running.addresses()).toEqual(["10.0.0.1:80"]);
});

test("a user's token goes with every request", async () => {
  await using running = await start({ username: "tocsin", password: "s3cret" });
  await expect.poll(() => watches.length).toBe(1);
  expect(running.updates).toBe(1);
  expect(server.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
    ["/v3/auth/authenticate", undefined],
    ["/v3/kv/range", "t.1"],
    ["/v3/watch", "t.1"],
  ]);
  expect(JSON.parse(server.requests[0]?.body ?? "")).toEqual({ name: "tocsin", password: "s3cret" });
});

test("a stop ends the watch and leaves no timer", async () => {
  const running = await start();
  await expect.poll(() => watches.length).toBe(1);
  await running.discovery.stop();
  await expect.poll(() => watches[0]?.destroyed).toBe(true);
  expect(clock.pending).toBe(0);
  await running[Symbol.asyncDispose]();
});
