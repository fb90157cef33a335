import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { choosePort } from "@tocsin/platform";
import { eventually } from "@tocsin/testing";

/** Debian's, or another one. */
const ETCD = process.env["ETCD_BIN"] ?? "/usr/bin/etcd";

export interface EtcdServer {
  readonly url: string;
  /** host:port of `url`. */
  readonly address: string;
  /** Starts it, again after a kill on the same port and data; resolves when it answers. */
  start(): Promise<void>;
  /** As the kernel would. */
  kill(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

/** A real etcd of one member on free ports with its own folder. */
export async function createEtcdServer(): Promise<EtcdServer> {
  if (!existsSync(ETCD)) throw new Error(`there is no etcd at ${ETCD}; apt-get install etcd-server`);
  const folder = mkdtempSync(join(tmpdir(), "tocsin-etcd-"));
  const free = () => choosePort({ host: "127.0.0.1", port: 0, what: "etcd", flag: "", moveWhenTaken: false });
  const address = `127.0.0.1:${await free()}`;
  const peer = `http://127.0.0.1:${await free()}`;
  const url = `http://${address}`;
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
    address,
    async start() {
      const flags = {
        "data-dir": join(folder, "data"),
        "listen-client-urls": url,
        "advertise-client-urls": url,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": `default=${peer}`,
        logger: "zap",
        "log-level": "error",
      };
      const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`);
      child = spawn(ETCD, args, { stdio: ["ignore", "ignore", "inherit"] });
      await eventually("etcd answers", 30_000, async () => {
        const response = await fetch(`${url}/health`);
        return ((await response.json()) as { health: string }).health === "true";
      });
    },
    kill: () => end("SIGKILL"),
    async remove() {
      await end("SIGTERM");
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
