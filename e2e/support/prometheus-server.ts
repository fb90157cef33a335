import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choosePort } from "@tocsin/platform";
import { eventually } from "@tocsin/testing";

/** Debian's, or another one. */
const PROMETHEUS = process.env["PROMETHEUS_BIN"] ?? "/usr/bin/prometheus";

export interface PrometheusServer {
  readonly url: string;
  /** Starts it, again after a kill on the same port and data; resolves when it is ready. */
  start(): Promise<void>;
  /** As the kernel would: nothing is written any more. */
  kill(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

/** A real Prometheus on a free port with its own folder; `more` are further flags. */
export async function createPrometheusServer(config: string, more: string[] = []): Promise<PrometheusServer> {
  if (!existsSync(PROMETHEUS)) throw new Error(`there is no Prometheus at ${PROMETHEUS}; apt-get install prometheus`);
  const folder = mkdtempSync(join(tmpdir(), "tocsin-prometheus-"));
  const port = await choosePort({ host: "127.0.0.1", port: 0, what: "Prometheus", flag: "", moveWhenTaken: false });
  const url = `http://127.0.0.1:${port}`;
  writeFileSync(join(folder, "prometheus.yml"), config);
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals) => {
    const running = child;
    child = undefined;
    if (!running || running.exitCode !== null) return;
    const ended = new Promise((resolve) => running.once("exit", resolve));
    running.kill(signal);
    await ended;
  };
  return {
    url,
    async start() {
      const args = [
        `--config.file=${join(folder, "prometheus.yml")}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--web.enable-remote-write-receiver",
        "--enable-feature=exemplar-storage,native-histograms",
        "--log.level=error",
        ...more,
      ];
      child = spawn(PROMETHEUS, args, { stdio: ["ignore", "ignore", "inherit"] });
      await eventually("Prometheus is ready", 30_000, async () => (await fetch(`${url}/-/ready`)).ok);
    },
    kill: () => end("SIGKILL"),
    async remove() {
      await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
