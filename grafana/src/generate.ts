// Writes dashboards/*.json from the boards: `npm run grafana -- [--tocsin-url URL] [--out FOLDER]`.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { renderBoards, TOCSIN_URL } from "./render.ts";

const { values } = parseArgs({
  options: {
    "tocsin-url": { type: "string", default: TOCSIN_URL },
    out: { type: "string", default: join(import.meta.dirname, "../dashboards") },
  },
});
const files = renderBoards(values["tocsin-url"].replace(/\/$/, ""));
mkdirSync(values.out, { recursive: true });
for (const name of readdirSync(values.out)) {
  if (name.endsWith(".json") && !files.has(name)) rmSync(join(values.out, name));
}
for (const [name, text] of files) writeFileSync(join(values.out, name), text);
