// Runs after `npm ci`: points git at the committed hooks and builds the dashboard, so that the first start is quick.
// Plain JavaScript, because npm may still run Node 20 here.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";

if (existsSync(".git")) execFileSync("git", ["config", "core.hooksPath", ".githooks"]);

const vite = "node_modules/vite/bin/vite.js";
if (existsSync(vite)) {
  try {
    execFileSync(process.execPath, ["../../" + vite, "build", "--logLevel", "error"], {
      cwd: "dashboard/web",
      stdio: "inherit",
    });
  } catch {
    process.stderr.write("The dashboard could not be built now; `npm start` tries again.\n");
  }
}
