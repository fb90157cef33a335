import { ManualClock } from "@tocsin/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startDiscovery } from "../../../../testing/discovery.ts";
import { consul } from "./consul-discovery.ts";
import { ConsulAgent } from "../../../../testing/consul-agent.ts";

let agent: ConsulAgent;
let clock: ManualClock;
beforeEach(async () => {
  clock = new ManualClock();
  agent = new ConsulAgent();
  await agent.http.start();
  agent.set("sms", { id: "sms-1", address: "10.0.0.1", port: 8082, tags: ["prod", "eu"], meta: { zone: "a" } });
});
afterEach(() => agent.http.stop());

const start = (config: object = {}) => startDiscovery(consul, { server: agent.http.address, ...config }, clock);
/** Lets the pause between two queries pass and waits until the agent holds them. */
async function held(count: number): Promise<void> {
  await clock.advance(250);
  await expect.poll(() => agent.held).toBe(count);
}

describe("instances", () => {
  test("carry what Consul knows of them, under the names that Prometheus gives", async () => {
    await using running = await start({ services: ["sms"], token: "acl", datacenter: "dc1", tags: ["prod"] });
    await expect.poll(() => running.groups).toBeDefined();
    expect(running.groups).toEqual([
      {
        targets: ["10.0.0.1:8082"],
        labels: {
          __meta_consul_address: "10.0.0.250",
          __meta_consul_node: "node1",
          __meta_consul_dc: "dc1",
          __meta_consul_partition: "",
          __meta_consul_health: "passing",
          __meta_consul_service: "sms",
          __meta_consul_service_id: "sms-1",
          __meta_consul_service_address: "10.0.0.1",
          __meta_consul_service_port: "8082",
          __meta_consul_tags: ",prod,eu,",
          __meta_consul_metadata_rack_no: "7",
          __meta_consul_service_metadata_zone: "a",
        },
      },
    ]);
    expect(agent.http.requests[0]).toMatchObject({
      url: "/v1/health/service/sms?dc=dc1&stale=&tag=prod",
      headers: { "x-consul-token": "acl" },
    });
  });

  test("without an address are at their node's, and failing ones are there with their health", async () => {
    agent.set("sms", { id: "sms-1", port: 8082, status: "critical" });
    await using running = await start();
    await expect.poll(() => running.addresses()).toEqual(["10.0.0.250:8082"]);
    expect(running.groups?.[0]?.labels["__meta_consul_health"]).toBe("critical");
  });

  test("that come and go are seen at once by blocking queries", async () => {
    await using running = await start({ services: ["sms"] });
    await expect.poll(() => running.updates).toBe(1);
    await held(1);
    expect(agent.http.requests.at(-1)?.url).toBe("/v1/health/service/sms?stale=&index=11&wait=120s");
    agent.set("sms", { id: "sms-1", address: "10.0.0.1", port: 1 }, { id: "sms-2", address: "10.0.0.2", port: 2 });
    await expect.poll(() => running.addresses()).toEqual(["10.0.0.1:1", "10.0.0.2:2"]);
    await held(1);
    agent.set("sms", { id: "sms-2", address: "10.0.0.2", port: 2 });
    await expect.poll(() => running.addresses()).toEqual(["10.0.0.2:2"]);
  });

  test("are not handed on again when a wait ends without news", async () => {
    await using running = await start({ services: ["sms"] });
    await expect.poll(() => running.updates).toBe(1);
    await held(1);
    agent.releaseAll();
    await held(1);
    expect(running.updates).toBe(1);
  });

  test("are read from the beginning when the index goes back", async () => {
    await using running = await start({ services: ["sms"] });
    await expect.poll(() => running.updates).toBe(1);
    await held(1);
    agent.index = 2;
    agent.set("sms", { id: "sms-9", address: "10.0.0.9", port: 9 });
    await expect.poll(() => running.addresses()).toEqual(["10.0.0.9:9"]);
    await clock.advance(250);
    await expect.poll(() => agent.http.requests.at(-1)?.url).toBe("/v1/health/service/sms?stale=");
  });
});

test("without names every service of the catalog with the tags is followed, new ones too", async () => {
  agent.set("api", { id: "api-1", address: "10.0.0.3", port: 3, tags: ["prod"] });
  agent.set("cron", { id: "cron-1", address: "10.0.0.4", port: 4, tags: ["test"] });
  await using running = await start({ tags: ["prod"], refresh_interval: "30s" });
  await expect.poll(() => running.addresses()).toEqual(["10.0.0.1:8082", "10.0.0.3:3"]);
  await held(2);
  agent.set("limits", { id: "limits-1", address: "10.0.0.5", port: 5, tags: ["prod"] });
  await clock.advance(30_000);
  await expect.poll(() => running.addresses()).toEqual(["10.0.0.1:8082", "10.0.0.3:3", "10.0.0.5:5"]);
  expect(await running.metric("failures_total")).toBe(0);
});

test("the last known list stays while the agent is away, and is replaced when it is back", async () => {
  await using running = await start();
  await expect.poll(() => running.updates).toBe(1);
  await held(1);
  await agent.http.stop();
  await expect.poll(() => running.metric("registries_away")).toBe(1);
  expect(running.addresses()).toEqual(["10.0.0.1:8082"]);
  agent.set("sms", { id: "sms-2", address: "10.0.0.2", port: 2 });
  await agent.http.start();
  await clock.advance(1000);
  await expect.poll(() => running.addresses()).toEqual(["10.0.0.2:2"]);
  expect(await running.metric("registries_away")).toBe(0);
});

test("a stop ends what the agent holds and leaves no timer", async () => {
  const running = await start();
  await expect.poll(() => running.updates).toBe(1);
  await held(1);
  await running.discovery.stop();
  await expect.poll(() => agent.held).toBe(0);
  expect(clock.pending).toBe(0);
  await running[Symbol.asyncDispose]();
});
