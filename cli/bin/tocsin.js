#!/usr/bin/env node
// Plain JavaScript that any Node can read: finds a Node that can run the rest, and hands over to it.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const built = join(here, "../dist/main.js");
const source = join(here, "../src/main.ts");
const entry = existsSync(source) ? ["--conditions=@tocsin/source", source] : [built];
const args = [
  "--disable-warning=ExperimentalWarning",
  "--disable-warning=TimeoutNegativeWarning",
  ...entry,
  ...process.argv.slice(2),
];

// Compiled code is kept between starts, of this process and of the services it starts; it cuts the start by two thirds.
process.env["NODE_COMPILE_CACHE"] ??= join(here, "../../node_modules/.cache/tocsin");

const runtime = newEnough(process.version) ? process.execPath : bundledNode();
if (runtime === undefined) {
  process.stderr.write(
    `tocsin needs Node 24.11 or newer, and this is ${process.version}.\n` +
      "Tocsin brings a Node of its own with `npm ci`, but its install script did not run here.\n" +
      "Either run that script:  npm rebuild node --ignore-scripts=false\n" +
      "or install Node 24 and run this command with it.\n",
  );
  process.exit(1);
}

if (typeof process.execve === "function" && process.platform !== "win32") {
  process.execve(runtime, [runtime, ...args], process.env);
} else {
  const child = spawn(runtime, args, { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => (signal ? process.kill(process.pid, signal) : process.exit(code ?? 1)));
}

function newEnough(version) {
  const [major, minor] = version.slice(1).split(".").map(Number);
  return major > 24 || (major === 24 && minor >= 11);
}

/** The Node of the `node` package, when its install script has run. */
function bundledNode() {
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve("node/package.json")), "bin/node");
    const answer = spawnSync(path, ["--version"], { encoding: "utf8" });
    return newEnough(answer.stdout.trim()) ? path : undefined;
  } catch {
    return undefined;
  }
}
