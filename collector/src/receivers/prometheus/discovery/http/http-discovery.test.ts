import { ManualClock } from "@tocsin/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SmallServer, startDiscovery } from "../../../../testing/discovery.ts";
import { http } from "./http-discovery.ts";

let server: SmallServer;
let clock: ManualClock;
let list: unknown;
let contentType: string;
beforeEach(async () => {
  list = [{ targets: ["10.0.0.1:80", "10.0.0.2:80"], labels: { __meta_zone: "a" } }, { targets: ["10.0.0.3:80"] }];
  contentType = "application/json";
  clock = new ManualClock();
  server = await new SmallServer((_request, response) => {
    response.setHeader("content-type", contentType).end(JSON.stringify(list));
  }).start();
});
afterEach(() => server.stop());

const start = (config: object = {}) =>
  startDiscovery(http, { url: `http://${server.address}/targets`, refresh_interval: "30s", ...config }, clock);

test("targets come with their labels and where they are from, asked for as Prometheus does", async () => {
  await using running = await start({ authorization: { credentials: "s3cret" } });
  await expect.poll(() => running.groups).toBeDefined();
  const __meta_url = `http://${server.address}/targets`;
  expect(running.groups).toEqual([
    { targets: ["10.0.0.1:80", "10.0.0.2:80"], labels: { __meta_zone: "a", __meta_url } },
    { targets: ["10.0.0.3:80"], labels: { __meta_url } },
  ]);
  expect(server.requests[0]).toMatchObject({
    url: "/targets",
    headers: {
      accept: "application/json",
      authorization: "Bearer s3cret",
      "x-prometheus-refresh-interval-seconds": "30",
    },
  });
});

test("the list is asked for again after the refresh interval, and an empty one empties it", async () => {
  await using running = await start();
  await expect.poll(() => running.updates).toBe(1);
  list = [];
  await clock.advance(29_000);
  expect(server.requests).toHaveLength(1);
  await clock.advance(1000);
  await expect.poll(() => running.addresses()).toEqual([]);
});

test.each([
  ["is away", () => server.stop()],
  ["answers with something else", () => (list = { targets: ["10.0.0.9:80"] })],
  ["answers with a list that is wrong in one place", () => (list = [{ targets: ["10.0.0.9:80"] }, { targets: [1] }])],
  ["says it is not JSON", () => (contentType = "text/plain")],
  ["answers with a failure", () => (server.handle = (_request, response) => response.writeHead(500).end("[]"))],
])("the last known list stays while the endpoint %s", async (_what, breakIt) => {
  await using running = await start();
  await expect.poll(() => running.updates).toBe(1);
  const answer = server.handle;
  await breakIt();
  await clock.advance(30_000);
  await expect.poll(() => running.metric("registries_away")).toBe(1);
  expect(running.addresses()).toEqual(["10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80"]);
  expect(await running.metric("failures_total")).toBe(1);

  await server.stop();
  server.handle = answer;
  contentType = "application/json";
  list = [{ targets: ["10.0.0.4:80"] }];
  await server.start();
  await clock.advance(1000);
  await expect.poll(() => running.addresses()).toEqual(["10.0.0.4:80"]);
  expect(await running.metric("registries_away")).toBe(0);
  expect(await running.metric("updates_total")).toBe(2);
});

test("an endpoint that does not answer is given up after ten seconds", async () => {
  server.handle = () => {};
  await using running = await start();
  await expect.poll(() => server.requests.length).toBe(1);
  await clock.advance(10_000);
  await expect.poll(() => running.metric("failures_total")).toBe(1);
});

test("a stop leaves no timer and no request behind", async () => {
  const running = await start();
  await expect.poll(() => running.updates).toBe(1);
  await running[Symbol.asyncDispose]();
  expect(clock.pending).toBe(0);
  await clock.advance(120_000);
  expect(server.requests).toHaveLength(1);
});

test("a configuration with two kinds of credentials is refused", () => {
  const config = { url: "http://127.0.0.1/", basic_auth: {}, authorization: {} };
  expect(http.config.safeParse(config).error?.issues[0]?.message).toBe("at most one of basic_auth and authorization");
});
