import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseDockerfile } from "./dockerfile.ts";

const ROOT = join(import.meta.dirname, "../..");
const stages = parseDockerfile(readFileSync(join(ROOT, "deploy/Dockerfile"), "utf8"));
const runtime = stages.at(-1)?.instructions ?? [];

test("builds in stages on node:24-slim, and the last one starts from the bare image", () => {
  expect(stages.map(({ name, base }) => [name, base])).toEqual([
    ["manifests", "node:24-slim"],
    ["build", "manifests"],
    ["production", "manifests"],
    ["runtime", "node:24-slim"],
  ]);
});

test("tells npm of every workspace, so that the lock file fits", () => {
  const { workspaces } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { workspaces: string[] };
  const copied = stages[0]?.instructions.flatMap((each) => (each.kind === "copy" ? each.sources : []));
  expect(copied).toEqual(
    expect.arrayContaining(["package.json", "package-lock.json", ...workspaces.map((name) => `${name}/package.json`)]),
  );
});

test("runs as a user who is not root, given by number", () => {
  expect(runtime.filter(({ kind }) => kind === "user")).toEqual([{ kind: "user", user: "1000:1000" }]);
});

test("starts without the demo, which needs sources", () => {
  expect(runtime).toContainEqual({
    kind: "env",
    values: {
      NODE_ENV: "production",
      TOCSIN_DATA_DIR: "/var/lib/tocsin",
      TOCSIN_DEMO: "false",
      NODE_COMPILE_CACHE: "/tmp/tocsin-compile-cache",
    },
  });
});

test("takes nothing but what the stages before made", () => {
  const copies = runtime.filter((each) => each.kind === "copy");
  expect(copies.map(({ from }) => from)).toEqual(["production", "build"]);
});

test.each(["ADD x y", "COPY --chmod=1 a b", "RUN"])("refuses what it would not run as Docker does: %s", (line) => {
  expect(() => parseDockerfile(`FROM a AS b\n${line}\n`)).toThrow(/unknown/);
});
