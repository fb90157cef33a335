import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createHttpServer } from "@tocsin/platform";
import { silentLogger } from "@tocsin/testing";
import { linksApi } from "./links.ts";

const runbooks = join(mkdtempSync(join(tmpdir(), "tocsin-links-")), "runbooks.md");
writeFileSync(runbooks, "# Runbooks\n\nIntro.\n\n## ServiceDown\n\n1. Look at `up`.\n\n## Other\n\nx < y\n");
const app = createHttpServer({ logger: silentLogger });
linksApi(app, { runbooks });

test("a Prometheus graph link leads to the metrics page with every expression", async () => {
  const answer = await app.inject("/graph?g0.expr=up+%3D%3D+0&g0.tab=1&g1.expr=sum%28x%29");
  expect([answer.statusCode, answer.headers.location]).toEqual([302, "/metrics?e=up+%3D%3D+0&e=sum%28x%29"]);
});

test("a runbook is the alert's own section, escaped", async () => {
  expect((await app.inject("/runbooks/ServiceDown")).body).toContain("1. Look at `up`.");
  const other = (await app.inject("/runbooks/Other")).body;
  expect(other).toContain("x &lt; y");
  expect(other).not.toContain("Look at");
  expect((await app.inject("/runbooks/Nothing")).statusCode).toBe(404);
});
