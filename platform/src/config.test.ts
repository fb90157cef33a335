import { expect, test } from "vitest";
import { z } from "zod";
import { ConfigError, DurationMs, parseConfig, parseYaml, SizeBytes } from "./config.ts";
import { Secret, SecretString } from "./secret.ts";

const Schema = z.strictObject({
  name: z.string(),
  wait: DurationMs.default(30_000),
  limit: SizeBytes.default(1),
  routes: z.array(z.strictObject({ port: z.number() })).default([]),
});

const read = (text: string, env?: Record<string, string>) =>
  parseConfig({ file: "tocsin.yaml", text, ...(env && { env }) }, Schema);

function issuesIn(text: string): string {
  try {
    read(text);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "no issue";
}

test("durations, sizes and defaults come out as numbers", () => {
  expect(read("name: a\nwait: 1m30s\nlimit: 2MiB\n")).toEqual({
    name: "a",
    wait: 90_000,
    limit: 2_097_152,
    routes: [],
  });
});

test("every mistake is told with file, line, column and path", () => {
  expect(issuesIn("name: 7\nwiat: 1m\nroutes:\n  - port: 1\n  - port: web\n    hots: a\n")).toBe(
    [
      "tocsin.yaml:1:1 name: Invalid input: expected string, received number",
      "tocsin.yaml:5:5 routes.1.port: Invalid input: expected number, received string",
      "tocsin.yaml:6:5 routes.1.hots: unknown key",
      "tocsin.yaml:2:1 wiat: unknown key",
    ].join("\n"),
  );
});

test("a duration that is none says how to write one", () => {
  expect(issuesIn("name: a\nwait: 5\n")).toMatch(/^tocsin.yaml:2:1 wait: /);
  expect(issuesIn("name: a\nwait: 5 minutes\n")).toBe(
    'tocsin.yaml:2:1 wait: not a valid duration string: "5 minutes" (write it like 1h30m, 45s or 250ms)',
  );
});

test("a missing key is told at its parent", () => {
  expect(issuesIn("wait: 5m\n")).toBe("tocsin.yaml:1:1 name: Invalid input: expected string, received undefined");
});

test("syntax mistakes and duplicate keys are errors with a place", () => {
  expect(issuesIn("name: a\nname: b\n")).toMatch(/^tocsin.yaml:2:1: .*unique/);
  expect(issuesIn("name: [a\n")).toMatch(/^tocsin.yaml:2:1: /);
});

test("environment variables are put in where asked for", () => {
  expect(read("name: ${A}-${B:-b}-${C}", { A: "a" }).name).toBe("a-b-");
  expect(read("name: ${A}").name).toBe("${A}");
});

test("YAML 1.1 reads yes and on as booleans, 1.2 as text", () => {
  expect(parseYaml({ file: "f", text: "a: yes", version: "1.1" }).value).toEqual({ a: true });
  expect(parseYaml({ file: "f", text: "a: yes" }).value).toEqual({ a: "yes" });
});

test("an alias bomb is refused", () => {
  const bomb = [
    "a: &a [x, x, x, x, x, x, x, x, x]",
    ...["b", "c", "d", "e"].map((name, i) => `${name}: &${name} [${Array(9).fill(`*${"abcd"[i]}`).join(", ")}]`),
  ].join("\n");
  expect(() => parseYaml({ file: "f", text: bomb })).toThrow(/^f:1:1: .*alias/i);
});

test("a secret shows itself only when asked", () => {
  const secret = SecretString.parse("hunter2");
  expect(secret).toBeInstanceOf(Secret);
  expect([String(secret), JSON.stringify({ secret }), secret.reveal()]).toEqual([
    "<secret>",
    '{"secret":"<secret>"}',
    "hunter2",
  ]);
});
