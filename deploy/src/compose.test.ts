import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TocsinConfig } from "@tocsin/cli";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

interface Service {
  image: string;
  profiles?: string[];
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, unknown>;
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  mem_limit?: string;
  cpus?: number;
  networks?: string[];
  ports?: string[];
  volumes?: string[];
  cap_drop?: string[];
  security_opt?: string[];
  read_only?: boolean;
  restart?: string;
}

interface Compose {
  services: Record<string, Service>;
  networks: Record<string, { internal?: boolean } | null>;
  volumes: Record<string, null>;
}

const text = read("docker-compose.yml");
const compose = parse(text, { merge: true }) as Compose;
const services = Object.entries(compose.services).map(([name, service]) => ({ name, service }));

test("names no project and no version, so that old and new compose accept it", () => {
  expect(Object.keys(compose).filter((key) => !key.startsWith("x-"))).toEqual(["services", "networks", "volumes"]);
});

test("has the engines, every role, the sample services and their load", () => {
  expect(Object.keys(compose.services).sort()).toEqual([
    "alertmanager",
    "api",
    "collector",
    "consul",
    "dashboard",
    "elasticsearch",
    "elasticsearch-setup",
    "grafana",
    "kafka",
    "kibana",
    "kibana-setup",
    "load",
    "postgres",
    "prometheus",
    "rate-limiter",
    "redis",
    "rules",
    "sms",
    "writer",
  ]);
});

test("publishes the dashboard and Grafana, on loopback, and nothing else", () => {
  const published = services.flatMap(({ name, service }) => (service.ports ?? []).map((port) => [name, port]));
  expect(published).toEqual([
    ["dashboard", "127.0.0.1:${TOCSIN_PUBLISHED_PORT:-9400}:9400"],
    ["grafana", "127.0.0.1:${GRAFANA_PUBLISHED_PORT:-3000}:3000"],
  ]);
});

test("lets nothing out of the inner network but what has to", () => {
  expect(compose.networks["inside"]).toEqual({ internal: true });
  const outside = services.filter(({ service }) => service.networks?.includes("outside")).map(({ name }) => name);
  expect(outside.sort()).toEqual(["alertmanager", "dashboard", "grafana"]);
});

describe.each(services)("$name", ({ name, service }) => {
  const isOneShot = service.restart === "no";

  test("comes from an image of one version", () => {
    expect(service.image).toMatch(/:v?\d+\.\d+(\.\d+)?[\w.-]*$/);
  });

  test("has limits, and no capability nor a way to gain one", () => {
    expect(service.mem_limit).toMatch(/^\d+[mg]$/);
    expect(service.cpus).toBeGreaterThan(0);
    expect(service.cap_drop).toEqual(["ALL"]);
    expect(service.security_opt).toEqual(["no-new-privileges:true"]);
  });

  test("says when it is healthy, unless it runs once or serves nothing", () => {
    if (isOneShot || name === "load") return;
    expect(service.healthcheck?.test?.[0]).toMatch(/^CMD(-SHELL)?$/);
  });

  test("waits for services that are there and can fulfil the condition", () => {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const awaited = compose.services[other];
      expect(awaited, other).toBeDefined();
      expect(condition).toBe(awaited?.restart === "no" ? "service_completed_successfully" : "service_healthy");
      expect(awaited?.profiles, `${other} may not run`).toBeUndefined();
    }
  });

  test("mounts files that are there, read-only, and volumes that are declared", () => {
    for (const volume of service.volumes ?? []) {
      const [source = "", , mode] = volume.split(":");
      if (source.startsWith("./")) {
        expect(existsSync(join(ROOT, source)), source).toBe(true);
        expect(mode).toBe("ro");
      } else {
        expect(compose.volumes).toHaveProperty(source);
      }
    }
  });

  test("holds no secret: passwords come from .env, which must name them", () => {
    for (const [key, value] of Object.entries(service.environment ?? {})) {
      if (!/PASSWORD|SECRET|TOKEN/.test(key)) continue;
      expect(value, key).toMatch(/^\$\{\w+:\?[^}]+\}$/);
    }
  });
});

test("Tocsin's containers cannot write but where they keep data", () => {
  const own = services.filter(({ service }) => service.image.startsWith("tocsin:"));
  expect(own.map(({ name }) => name)).toHaveLength(9);
  for (const { service } of own) expect(service.read_only).toBe(true);
});

test.each(["api", "sms", "rate-limiter"])("%s starts as deploy/build.sh starts it", (name) => {
  expect(compose.services[name]?.entrypoint).toEqual(["node", "--import", "@tocsin/sdk/register", "dist/main.js"]);
});

test("every volume is used", () => {
  const used = new Set(
    services.flatMap(({ service }) => (service.volumes ?? []).map((volume) => volume.split(":")[0])),
  );
  expect(Object.keys(compose.volumes).filter((name) => !used.has(name))).toEqual([]);
});

test("env.example names what the file asks for", () => {
  const asked = new Set([...text.matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name]) => name));
  const named = [...read("deploy/compose/env.example").matchAll(/^(\w+)=/gm)].map(([, name]) => name);
  expect(named.sort()).toEqual([...asked].sort());
});

test("tocsin.yaml of the roles is valid, and uses the engines of the file", () => {
  const yaml = read("deploy/compose/tocsin.yaml")
    .replace("${TOCSIN_EXTERNAL_URL}", "http://127.0.0.1:9400")
    .replace("${ELASTICSEARCH_PASSWORD}", "secret");
  const config = TocsinConfig.parse(parse(yaml));
  expect(config.bus).toMatchObject({ driver: "kafka", kafka: { brokers: ["kafka:9092"] } });
  expect(config.store.elasticsearch?.nodes).toEqual(["http://elasticsearch:9200"]);
  expect(config.store.prometheus?.url).toBe("http://prometheus:9090");
  const peers = [config.peers.collector, config.peers.rules, ...config.peers.alertmanagers].map((url) => new URL(url));
  for (const { hostname } of peers) expect(compose.services).toHaveProperty(hostname);
});

test("Kibana's saved objects refer to one another", () => {
  const objects = read("deploy/compose/kibana/saved-objects.ndjson")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { type: string; id: string; references: { type: string; id: string }[] });
  const known = objects.map(({ type, id }) => `${type}/${id}`);
  expect(known).toEqual(["index-pattern/tocsin-logs", "index-pattern/tocsin-spans", "search/tocsin-logs"]);
  for (const { type, id } of objects.flatMap(({ references }) => references)) expect(known).toContain(`${type}/${id}`);
});

describe("make-env.sh", () => {
  const folder = mkdtempSync(join(tmpdir(), "tocsin-env-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("fills in a password of its own for each, and does not touch an .env that is there", () => {
    mkdirSync(join(folder, "deploy/compose"), { recursive: true });
    copyFileSync(join(ROOT, "deploy/make-env.sh"), join(folder, "deploy/make-env.sh"));
    copyFileSync(join(ROOT, "deploy/compose/env.example"), join(folder, "deploy/compose/env.example"));
    const run = () => execFileSync("sh", [join(folder, "deploy/make-env.sh")], { stdio: "pipe" });
    run();
    const passwords = [...readFileSync(join(folder, ".env"), "utf8").matchAll(/^\w+_PASSWORD=([0-9a-f]{48})$/gm)];
    expect(new Set(passwords.map(([, value]) => value)).size).toBe(5);
    expect(run).toThrow("is there already");
  });

  test.skipIf(!existsSync("/usr/bin/docker-compose"))("docker-compose takes the file with it", () => {
    const args = ["-f", join(ROOT, "docker-compose.yml"), "--env-file", join(folder, ".env"), "config", "--quiet"];
    expect(() => execFileSync("docker-compose", args, { stdio: "pipe", cwd: folder })).not.toThrow();
  });
});
