import Fastify, { type FastifyInstance } from "fastify";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { RegistryEndpoints, staticEndpoints } from "./endpoints.ts";
import { Membership } from "./membership.ts";
import { openRegistry, type Registry } from "./registry.ts";

interface Asked {
  method: string;
  url: string;
  token: string | undefined;
  body: unknown;
}
interface Answer {
  statusCode?: number;
  body?: object;
}

let server: FastifyInstance;
let asked: Asked[];
let answer: (path: string) => Answer;
let host: string;
beforeEach(async () => {
  asked = [];
  server = Fastify({ forceCloseConnections: true });
  server.removeAllContentTypeParsers();
  server.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) =>
    done(null, JSON.parse(String(body))),
  );
  server.all("/*", async (request, reply) => {
    const { method, url, headers, body } = request;
    const token = headers["x-consul-token"] ?? headers.authorization;
    asked.push({ method, url, token: token?.toString(), body });
    const { statusCode = 200, body: sent = {} } = answer(url);
    return reply.code(statusCode).send(sent);
  });
  await server.listen({ port: 0, host: "127.0.0.1" });
  host = `127.0.0.1:${(server.server.address() as AddressInfo).port}`;
});
afterEach(() => server.close());

const instance = { service: "sms", id: "sms-1", host: "10.0.0.1", port: 8082 };
const b64 = (text: string) => Buffer.from(text).toString("base64");

describe("etcd", () => {
  let ttl: string | undefined;
  beforeEach(() => {
    ttl = "10";
    const answers: Record<string, () => Answer> = {
      "/v3/auth/authenticate": () => ({ body: { token: "t.1" } }),
      "/v3/lease/grant": () => ({ body: { ID: "77", TTL: "10" } }),
      "/v3/lease/keepalive": () => ({ body: { result: { ID: "77", ...(ttl !== undefined && { TTL: ttl }) } } }),
    };
    answer = (path) => answers[path]?.() ?? {};
  });
  const paths = () => asked.map(({ url }) => url);

  test("gets the instance under a lease, which each further announcement renews", async () => {
    const registry = openRegistry(`etcd://${host}/shop`);
    await registry.announce(instance);
    await registry.announce(instance);
    expect(asked.map(({ url, body }) => [url, body])).toEqual([
      ["/v3/lease/grant", { TTL: "10" }],
      ["/v3/kv/put", { key: b64("/shop/sms/sms-1"), value: b64('{"address":"10.0.0.1:8082"}'), lease: "77" }],
      ["/v3/lease/keepalive", { ID: "77" }],
    ]);
  });

  test("gets the instance again when its lease has ended", async () => {
    const registry = openRegistry(`etcd://${host}`);
    await registry.announce(instance);
    ttl = undefined;
    await registry.announce(instance);
    expect(paths()).toEqual(["/v3/lease/grant", "/v3/kv/put", "/v3/lease/keepalive", "/v3/lease/grant", "/v3/kv/put"]);
  });

  test("loses the instance with its lease when it is withdrawn", async () => {
    const registry = openRegistry(`etcd://${host}`);
    await registry.announce(instance);
    await registry.withdraw(instance);
    expect(asked.at(-1)).toMatchObject({ url: "/v3/lease/revoke", body: { ID: "77" } });
  });

  test("lists the instances of one service", async () => {
    answer = () => ({ body: { kvs: [{ value: b64('{"address":"b:2"}') }, { value: b64('{"address":"a:1"}') }] } });
    expect(await openRegistry(`etcd://${host}`).addresses("sms")).toEqual(["a:1", "b:2"]);
    expect(asked[0]?.body).toEqual({ key: b64("/tocsin/services/sms/"), range_end: b64("/tocsin/services/sms0") });
  });

  test("is asked with a token when the URL names a user", async () => {
    await openRegistry(`etcd://me:p%40ss@${host}`).addresses("sms");
    expect(asked.map(({ url, token, body }) => [url, token, body])).toMatchObject([
      ["/v3/auth/authenticate", undefined, { name: "me", password: "p@ss" }],
      ["/v3/kv/range", "t.1", {}],
    ]);
  });

  test("has its next server tried after a failure", async () => {
    const registry = openRegistry(`etcd://127.0.0.1:1,${host}`);
    await expect(registry.addresses("sms")).rejects.toThrow();
    expect(await registry.addresses("sms")).toEqual([]);
  });
});

describe("Consul", () => {
  test("gets the instance with a health check, once, and again when the agent has forgotten it", async () => {
    let known = false;
    answer = (path) => (path === "/v1/agent/service/sms-1" && !known ? { statusCode: 404 } : {});
    const registry = openRegistry(`consul://:acl@${host}`);
    await registry.announce(instance);
    known = true;
    await registry.announce(instance);
    expect(asked.map(({ method, url, token }) => `${method} ${url} ${token}`)).toEqual([
      "GET /v1/agent/service/sms-1 acl",
      "PUT /v1/agent/service/register acl",
      "GET /v1/agent/service/sms-1 acl",
    ]);
    expect(asked[1]?.body).toEqual({
      ID: "sms-1",
      Name: "sms",
      Address: "10.0.0.1",
      Port: 8082,
      Check: {
        Name: "sms answers",
        HTTP: "http://10.0.0.1:8082/healthz",
        Method: "GET",
        Interval: "5s",
        Timeout: "2s",
        DeregisterCriticalServiceAfter: "1m",
      },
    });
    known = false;
    await registry.announce(instance);
    expect(asked.at(-1)?.url).toBe("/v1/agent/service/register");
  });

  test("loses the instance when it is withdrawn", async () => {
    answer = () => ({});
    await openRegistry(`consul://${host}`).withdraw(instance);
    expect(asked[0]).toMatchObject({ method: "PUT", url: "/v1/agent/service/deregister/sms-1" });
  });

  test("lists the instances whose checks pass", async () => {
    const body = [
      { Node: { Address: "10.0.0.9" }, Service: { Address: "", Port: 2 } },
      { Node: { Address: "10.0.0.9" }, Service: { Address: "10.0.0.1", Port: 1 } },
    ];
    answer = () => ({ body });
    expect(await openRegistry(`consul://${host}`).addresses("sms")).toEqual(["10.0.0.1:1", "10.0.0.9:2"]);
    expect(asked[0]?.url).toBe("/v1/health/service/sms?passing=true");
  });
});

test.each(["http://a:1", "etcd://", "zookeeper://a:1"])("%s names no registry", (url) => {
  expect(() => openRegistry(url)).toThrow("a registry is etcd://");
});

/** A registry that fails when told to. */
function shakyRegistry(): Registry & { away: boolean; announced: number; list: string[]; withdrawn: number } {
  const attempt = () => {
    if (shaky.away) throw new Error("away");
  };
  const shaky = {
    away: false,
    announced: 0,
    withdrawn: 0,
    list: ["a:1", "b:2"],
    async announce() {
      attempt();
      shaky.announced += 1;
    },
    async withdraw() {
      attempt();
      shaky.withdrawn += 1;
    },
    async addresses() {
      attempt();
      return shaky.list;
    },
  };
  return shaky;
}

test("an instance is announced again and again, also after its registry was away, until it is withdrawn", async () => {
  const registry = shakyRegistry();
  registry.away = true;
  const membership = new Membership({ registry, instance, log: server.log, heartbeatMs: 1 });
  registry.away = false;
  await expect.poll(() => registry.announced).toBeGreaterThan(2);
  await membership.withdraw();
  const { announced } = registry;
  await new Promise((resolve) => setImmediate(resolve));
  expect(registry).toMatchObject({ announced, withdrawn: 1 });
});

describe("endpoints", () => {
  test("take turns", () => {
    const endpoints = staticEndpoints("http://a:1", "http://b:2");
    expect([endpoints.next(), endpoints.next(), endpoints.next()]).toEqual(["http://a:1", "http://b:2", "http://a:1"]);
  });

  test("of a registry are none before the first read, and the last known ones while it is away", async () => {
    const registry = shakyRegistry();
    let failures = 0;
    const onFailure = () => (failures += 1);
    const endpoints = new RegistryEndpoints({ registry, service: "sms", log: server.log, onFailure });
    expect(endpoints.next()).toBeUndefined();
    await endpoints.refresh();
    registry.away = true;
    await endpoints.refresh();
    expect([endpoints.next(), endpoints.next(), failures]).toEqual(["http://a:1", "http://b:2", 1]);
    registry.away = false;
    registry.list = [];
    await endpoints.refresh();
    expect(endpoints.next()).toBeUndefined();
    endpoints.close();
  });
});
