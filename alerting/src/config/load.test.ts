import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ConfigError } from "@tocsin/platform";
import { integrations } from "../notify/integrations.ts";
import { walkRoutes } from "../route.ts";
import { loadRouterConfig, parseRouterConfig, type LoadOptions } from "./load.ts";

const testdata = join(import.meta.dirname, "../testdata");
const load = (text: string, options: Partial<LoadOptions> = {}) =>
  parseRouterConfig("/etc/am/alertmanager.yml", text, { integrations, ...options });

describe("a bad file is refused with its place and reason", () => {
  // The first line of each file is the message that it must draw.
  test.each(readdirSync(join(testdata, "bad")))("%s", (name) => {
    const file = join(testdata, "bad", name);
    const expected = /^# (.*)$/m.exec(readFileSync(file, "utf8"))?.[1] ?? "";
    let message = "";
    try {
      loadRouterConfig(file, { integrations });
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      message = (error as Error).message;
    }
    expect(message).toContain(expected);
    expect(message).toMatch(new RegExp(`^.*/${name}:\\d+:\\d+`));
  });
});

test("a missing file is said by name", () => {
  expect(() => loadRouterConfig("/nowhere/am.yml", { integrations })).toThrow("cannot read /nowhere/am.yml");
});

describe("a file with everything", () => {
  const config = loadRouterConfig(join(testdata, "good/everything.yml"), { integrations });

  test("routes inherit what they should and have Alertmanager's keys", () => {
    const routes = [...walkRoutes(config.route)];
    expect(routes.map(({ key }) => key)).toEqual([
      "{}",
      '{}/{env!~"test.*",grüß="x",severity="page",team=~"a|b",zone="eu"}',
      '{}/{env!~"test.*",grüß="x",severity="page",team=~"a|b",zone="eu"}/{}',
    ]);
    expect(routes[1]?.options).toMatchObject({
      receiver: "pager",
      groupBy: "all",
      groupWaitMs: 0,
      groupIntervalMs: 300_000,
    });
    expect(routes[2]?.options).toEqual({
      receiver: "pager",
      groupBy: [],
      groupWaitMs: 0,
      groupIntervalMs: 300_000,
      repeatIntervalMs: 86_400_000,
      labels: { tier: "{{ .CommonLabels.tier }}" },
      muteTimeIntervals: ["nights"],
      activeTimeIntervals: ["office"],
    });
    expect(routes.map((route) => route.continue)).toEqual([false, true, false]);
  });

  test("original shows defaults, normal matchers and no secret", () => {
    const { original } = config;
    for (const hidden of ["pa55", "token=secret", "pw@hooks", "p:q@"]) expect(original).not.toContain(hidden);
    expect(original).toContain("resolve_timeout: 10m");
    expect(original).toContain('smtp_auth_username: "yes"');
    expect(original).toContain("smtp_auth_password: <secret>");
    expect(original).toContain("url: <secret>");
    expect(original).toContain('- zone="eu"\n        - env!~"test.*"\n        - grüß="x"');
    expect(original).toContain("timeout: 1m30s");
    expect(original).toContain("repeat_interval: 1d");
    expect(original).toContain('end_time: "24:00"');
    expect(original).toContain("- monday:friday");
    expect(original).toContain("- january:march");
    expect(original).toContain("ca_file: " + join(testdata, "good/ca.pem"));
  });

  test("original reads back to itself", () => {
    expect(load(config.original).original).toBe(config.original);
  });

  test("an unquoted number or boolean in a text keeps what was written, an untyped one is what YAML 1.1 says", () => {
    const [everyone, pager] = config.receivers;
    expect(everyone?.integrations[0]?.config).toMatchObject({
      http_config: { basic_auth: { username: "012" } },
      payload: { text: true, list: [1, "a"] },
      timeout: 90_000,
    });
    expect(pager?.integrations[0]?.config).toMatchObject({ headers: { Subject: "yes" }, auth_username: "yes" });
  });

  test("receivers keep the file's order and have their name as a label", () => {
    expect(config.receivers.map(({ labels }) => labels)).toEqual([
      { owner: "ops", name: "everyone" },
      { name: "pager" },
      { name: "unused" },
    ]);
  });

  test("a glob that matches nothing is fine", () => expect(config.templateFiles).toEqual([]));
});

describe("a file with every receiver", () => {
  const config = loadRouterConfig(join(testdata, "good/receivers.yml"), { integrations });

  test("has a block of each type", () => {
    const types = new Set(
      config.receivers.flatMap((receiver) => receiver.integrations.map((it) => it.integration.name)),
    );
    expect([...types].sort()).toEqual(integrations.map(({ name }) => name).sort());
    expect(types.size).toBe(18);
  });

  test("original shows no secret and reads back to itself", () => {
    expect(config.original).not.toContain("secret-");
    expect(config.original).toContain("<secret>");
    expect(load(config.original).original).toBe(config.original);
  });
});

describe("defaults", () => {
  const config = load("route: {receiver: a}\nreceivers: [{name: a}]\n");
  test("of the root route", () => {
    expect(config.route.options).toMatchObject({
      groupBy: [],
      groupWaitMs: 30_000,
      groupIntervalMs: 300_000,
      repeatIntervalMs: 14_400_000,
    });
  });
  test("of the global section", () => {
    expect(config.global).toMatchObject({
      resolve_timeout: 300_000,
      smtp_hello: "localhost",
      smtp_require_tls: true,
      http_config: { follow_redirects: true, enable_http2: true },
    });
  });
});

describe("http_config", () => {
  test("a receiver's own block replaces the global one completely", () => {
    const config = load(`
global: {http_config: {bearer_token: g, follow_redirects: false}}
route: {receiver: a}
receivers: [{name: a, webhook_configs: [{url: 'http://x', http_config: {proxy_url: 'http://p'}}, {url: 'http://y'}]}]
`);
    const [own, inherited] = config.receivers[0]?.integrations.map(({ config }) => config) ?? [];
    expect(own).toMatchObject({ http_config: { follow_redirects: true } });
    expect(own).not.toHaveProperty("http_config.authorization");
    expect(inherited).toMatchObject({ http_config: { follow_redirects: false, authorization: { type: "Bearer" } } });
  });

  test("its files are relative to the configuration, url_file is taken as given", () => {
    const config = load(`
route: {receiver: a}
receivers: [{name: a, webhook_configs: [{url_file: url, http_config: {authorization: {credentials_file: token}, http_headers: {X: {files: [h]}}}}]}]
`);
    expect(config.receivers[0]?.integrations[0]?.config).toMatchObject({
      url_file: "url",
      http_config: {
        authorization: { credentials_file: "/etc/am/token" },
        http_headers: { X: { files: ["/etc/am/h"] } },
      },
    });
  });
});

describe("matcher modes", () => {
  const route = (matcher: string) =>
    `route: {receiver: a, routes: [{matchers: ['${matcher}']}]}\nreceivers: [{name: a}]\n`;
  test("default mode warns of what the UTF-8 grammar reads otherwise", () => {
    expect(load(route("a=x y")).warnings).toEqual([
      'a=x y is not valid in the UTF-8 matcher syntax (4: unexpected y, expected a comma or the end); write it as {a="x y"}',
    ]);
  });
  test("utf8 mode refuses it", () => {
    expect(() => load(route("a=x y"), { mode: "utf8" })).toThrow("unexpected y");
  });
  test("classic mode refuses UTF-8 names in group_by", () => {
    const text = "route: {receiver: a, group_by: [ü]}\nreceivers: [{name: a}]\n";
    expect(load(text).warnings).toEqual([]);
    expect(() => load(text, { mode: "classic" })).toThrow("invalid label name");
  });
});

test("repeat_interval beyond retention or below group_interval draws a warning", () => {
  const text = "route: {receiver: a, repeat_interval: 1m}\nreceivers: [{name: a}]\n";
  expect(load(text).warnings).toEqual([
    "route {}: repeat_interval 1m is shorter than group_interval 5m, which it is rounded up to",
  ]);
  expect(
    load("route: {receiver: a, repeat_interval: 6d}\nreceivers: [{name: a}]\n", { retentionMs: 432_000_000 }).warnings,
  ).toEqual([
    "route {}: repeat_interval 6d is longer than the retention of the notification log 5d: repeats can come early",
  ]);
});

test("an alias bomb is refused", () => {
  const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(9).fill(`*l${i}`).join(", ")}]`);
  expect(() => load(`l0: &l0 [x]\n${levels.join("\n")}\n`)).toThrow(ConfigError);
});
