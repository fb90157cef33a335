import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Tests should not wait for the usual second. */
const PROMPT = { OTEL_BSP_SCHEDULE_DELAY: "50", OTEL_BLRP_SCHEDULE_DELAY: "50" };

export interface AppOptions {
  endpoint: string;
  env?: Record<string, string>;
  /** More `--import`s, before the SDK's. */
  imports?: string[];
}

/** An app in a process of its own, with the SDK preloaded as its user would do it. */
export class AppProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  stdout = "";
  stderr = "";
  url = "";

  constructor(file: string, { endpoint, env = {}, imports = [] }: AppOptions) {
    const preload = [...imports.map(appFile), "@tocsin/sdk/register"].flatMap((name) => ["--import", name]);
    this.child = spawn(process.execPath, ["--conditions=@tocsin/source", ...preload, appFile(file)], {
      cwd: root,
      env: {
        PATH: process.env["PATH"],
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
        OTEL_SERVICE_NAME: "app",
        ...PROMPT,
        ...env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child.stdout?.on("data", (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on("data", (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.exited = once(this.child, "close").then(([code, signal]) => ({
      code: code as number | null,
      signal: signal as NodeJS.Signals | null,
    }));
  }

  async listening(): Promise<this> {
    const port = await new Promise<string>((resolve, reject) => {
      this.child.stdout?.on("data", () => {
        const [, found] = /^port (\d+)$/m.exec(this.stdout) ?? [];
        if (found !== undefined) resolve(found);
      });
      void this.exited.then(() => reject(new Error(`the app ended before it listened: ${this.stderr}`)));
    });
    this.url = `http://127.0.0.1:${port}`;
    return this;
  }

  get(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(this.url + path, init);
  }

  logLines(): Record<string, unknown>[] {
    return this.stdout
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async stop(): Promise<void> {
    this.child.kill("SIGKILL");
    await this.exited;
  }
}

/** A name in `apps/`, or an absolute path. */
const appFile = (file: string): string => fileURLToPath(new URL(file, new URL("apps/", import.meta.url)));
