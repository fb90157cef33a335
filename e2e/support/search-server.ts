import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { choosePort } from "@tocsin/platform";
import { eventually } from "@tocsin/testing";

const SCRIPT = fileURLToPath(new URL("../../../shared/stack/es-up.sh", import.meta.url));

export interface SearchServer {
  readonly url: string;
  /** Starts it, again after a kill on the same port and data; resolves when it answers. */
  start(): Promise<void>;
  /** As the kernel would: nothing is written any more. */
  kill(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

/** A real Elasticsearch or OpenSearch on a free port with its own folder. */
export async function createSearchServer(flavor: "elasticsearch" | "opensearch"): Promise<SearchServer> {
  const folder = mkdtempSync(join(tmpdir(), `tocsin-${flavor}-`));
  const port = await choosePort({ host: "127.0.0.1", port: 0, what: flavor, flag: "", moveWhenTaken: false });
  let pid: number | undefined;
  const end = async (signal: NodeJS.Signals) => {
    const running = pid;
    pid = undefined;
    if (running === undefined) return;
    process.kill(running, signal);
    await eventually(`${flavor} has ended`, 60_000, async () => !isRunning(running));
  };
  return {
    url: `http://127.0.0.1:${port}`,
    async start() {
      const env = { ...process.env, ES_FLAVOR: flavor };
      const { stdout } = await promisify(execFile)(SCRIPT, [String(port), folder], { env, timeout: 300_000 });
      pid = Number(/(\d+)\s*$/.exec(stdout)?.[1]);
    },
    kill: () => end("SIGKILL"),
    async remove() {
      await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
