// Runs after `npm ci`: points git at the committed hooks. Plain JavaScript, because npm may still run Node 20 here.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

if (existsSync(".git")) execFileSync("git", ["config", "core.hooksPath", ".githooks"]);
