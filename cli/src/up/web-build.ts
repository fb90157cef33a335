import { existsSync } from "node:fs";
import { join } from "node:path";
import { spawn } from "node:child_process";
import type { Logger } from "@tocsin/platform";
import { WORKSPACE } from "./demo.ts";

/**
 * Builds the dashboard in the background when it has not been built (`npm ci` does that unless scripts are off). The
 * server says so on its pages meanwhile. Returns a note for the banner.
 */
export function ensureDashboard(logger: Logger): string[] {
  const web = join(WORKSPACE, "dashboard/web");
  if (existsSync(join(web, "dist/index.html"))) return [];
  const vite = join(WORKSPACE, "node_modules/vite/bin/vite.js");
  const build = spawn(process.execPath, [vite, "build", "--logLevel", "error"], {
    cwd: web,
    stdio: ["ignore", "ignore", "pipe"],
  });
  let complaint = "";
  build.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  build.on("error", (err) => logger.error({ err }, "dashboard cannot be built"));
  build.on("exit", (code) => {
    if (code !== 0) logger.error({ code, complaint }, "dashboard build failed");
  });
  build.unref();
  return ["the dashboard is being built; its pages appear in a few seconds"];
}
