import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fastify, type FastifyInstance } from "fastify";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dashboardServer } from "./dashboard-server.ts";

let app: FastifyInstance;
let webRoot: string;

beforeEach(async () => {
  webRoot = await mkdtemp(join(tmpdir(), "tocsin-web-"));
  app = fastify();
  await app.register(dashboardServer, { webRoot });
  app.setNotFoundHandler(async (_, reply) => reply.code(404).send({ title: "Not Found" }));
  await app.register(async (part) => {
    part.get("/metrics", async () => "up 1\n");
    part.get("/api/v1/labels", async () => ({ status: "success" }));
  });
});

afterEach(() => app.close());

async function build(): Promise<void> {
  await mkdir(join(webRoot, "assets"));
  await writeFile(join(webRoot, "index.html"), '<meta name="csp-nonce" content="" /><div id="root"></div>');
  await writeFile(join(webRoot, "assets", "index-abc123.js"), "export {};");
  await writeFile(join(webRoot, "favicon.svg"), "<svg/>");
}

const BROWSER = { accept: "text/html,application/xhtml+xml" };

test.each(["/", "/alerts", "/alerts/0a1b2c3d4e5f6071", "/services/a%20b", "/logs?q=error"])(
  "answers the page path %s with the page",
  async (url) => {
    await build();
    const response = await app.inject({ url, headers: BROWSER });
    expect(response.statusCode).toBe(200);
    expect(response.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(response.headers["cache-control"]).toBe("no-store");
    expect(response.body).toContain('<div id="root">');
  },
);

test("gives every answer a nonce of its own, the same in page and policy", async () => {
  await build();
  const nonces = await Promise.all(
    [1, 2].map(async () => {
      const { body, headers } = await app.inject({ url: "/", headers: BROWSER });
      const nonce = /content="([^"]+)"/.exec(body)?.[1] ?? "";
      expect(headers["content-security-policy"]).toContain(`style-src 'self' 'nonce-${nonce}'`);
      return nonce;
    }),
  );
  expect(nonces[0]).toMatch(/^[\w+/]{22}==$/);
  expect(nonces[0]).not.toBe(nonces[1]);
});

test("forbids inline scripts, foreign origins and being framed", async () => {
  await build();
  const policy = String((await app.inject("/")).headers["content-security-policy"]);
  expect(policy).toContain("default-src 'none'; script-src 'self';");
  expect(policy).toContain("frame-ancestors 'none'");
  expect(policy).not.toContain("unsafe-eval");
});

test("lets hashed files be kept for ever, and asks anew for the others", async () => {
  await build();
  const asset = await app.inject("/assets/index-abc123.js");
  expect(asset.headers["cache-control"]).toBe("public, max-age=31536000, immutable");
  expect(asset.headers["x-content-type-options"]).toBe("nosniff");
  expect(asset.body).toBe("export {};");
  expect((await app.inject("/favicon.svg")).headers["cache-control"]).toBe("no-cache");
});

test.each(["/assets/gone-123.js", "/robots.txt", "/api/v1/nothing", "/api", "/-/nothing", "/v1/traces"])(
  "answers 404, not the page, for %s",
  async (url) => {
    await build();
    const response = await app.inject({ url, headers: BROWSER });
    expect(response.statusCode).toBe(404);
    expect(response.json()).toEqual({ title: "Not Found" });
  },
);

test.each(["/../package.json", "/assets/..%2f..%2fpackage.json", "/%2e%2e/package.json", "/%"])(
  "does not leave its folder for %s",
  async (url) => {
    await build();
    expect((await app.inject(url)).statusCode).toBeGreaterThanOrEqual(400);
  },
);

test("leaves the routes of other parts alone", async () => {
  await build();
  expect((await app.inject("/api/v1/labels")).json()).toEqual({ status: "success" });
});

test("gives /metrics as a page to a browser and as exposition to a scraper", async () => {
  await build();
  expect((await app.inject({ url: "/metrics?e=up", headers: BROWSER })).body).toContain('<div id="root">');
  expect((await app.inject({ url: "/metrics", headers: { accept: "text/plain" } })).body).toBe("up 1\n");
});

test("says what to run while the web build is missing", async () => {
  const response = await app.inject({ url: "/alerts", headers: BROWSER });
  expect(response.statusCode).toBe(503);
  expect(response.body).toContain("npm run build -w @tocsin/dashboard-web");
  expect(response.body).toContain(webRoot);
});
