import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { fileURLToPath } from "node:url";

/** Builds the reference program; undefined where Go is not at hand or, but for CI, its modules cannot be had. */
export function buildReference(): string | undefined {
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  try {
    return build();
  } catch (error) {
    if (process.env["CI"]) throw error;
    console.warn("the reference could not be built, so nothing is compared with it");
    return undefined;
  }
}

function build(): string {
  const binary = join(mkdtempSync(join(tmpdir(), "promql-reference-")), "reference");
  const cwd = fileURLToPath(new URL("reference", import.meta.url));
  execFileSync("go", ["build", "-o", binary, "."], { cwd, stdio: "inherit" });
  return binary;
}

/** The reference program as a process that answers one JSON line after another. */
export class ReferenceProcess {
  private readonly child: ChildProcessByStdio<Writable, Readable, null>;
  private readonly waiting: ((answer: unknown) => void)[] = [];
  private rest = "";

  constructor(binary: string) {
    this.child = spawn(binary, { stdio: ["pipe", "pipe", "inherit"] });
    this.child.stdout.setEncoding("utf8");
    this.child.stdout.on("data", (chunk: string) => {
      const lines = (this.rest + chunk).split("\n");
      this.rest = lines.pop() ?? "";
      for (const line of lines) this.waiting.shift()?.(JSON.parse(line));
    });
  }

  ask(request: object): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.waiting.push(resolve);
    this.child.stdin.write(`${JSON.stringify(request)}\n`);
    return promise;
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.child.once("exit", () => resolve());
    this.child.stdin.end();
    await promise;
  }
}
