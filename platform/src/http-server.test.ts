import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { z } from "zod";
import { TocsinError } from "./errors.ts";
import { choosePort, createHttpServer, parseRequest } from "./http-server.ts";
import { createLogger } from "./logger.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function server() {
  const app = createHttpServer({ logger: createLogger({ level: "silent" }), bodyLimit: 100 });
  closing.push(() => app.close());
  app.get("/list", (request) => parseRequest(z.object({ limit: z.coerce.number().int() }), request.query));
  app.get("/busy", () => {
    throw new TocsinError("TOCSIN_OVERLOADED", "the queue is full");
  });
  app.get("/bug", () => {
    throw new Error("password=hunter2");
  });
  app.post("/body", () => ({}));
  return app;
}

test("a bad parameter is a 400 that names it", async () => {
  const answer = await server().inject("/list?limit=many");
  expect(answer.headers["content-type"]).toBe("application/problem+json; charset=utf-8");
  expect(answer.json()).toMatchObject({
    status: 400,
    code: "TOCSIN_BAD_REQUEST",
    errors: [{ path: "limit", message: expect.stringContaining("number") as string }],
  });
});

test("overload is a 503 that says when to come back", async () => {
  const answer = await server().inject("/busy");
  expect([answer.statusCode, answer.headers["retry-after"], answer.json<{ detail: string }>().detail]).toEqual([
    503,
    "1",
    "the queue is full",
  ]);
});

test("an unexpected error keeps its text to the log", async () => {
  const answer = await server().inject("/bug");
  expect(answer.statusCode).toBe(500);
  expect(answer.body).not.toContain("hunter2");
});

test("an unknown path, a broken body and a large body each have their status", async () => {
  const app = server();
  const json = { "content-type": "application/json" };
  const statuses = [
    await app.inject("/nothing"),
    await app.inject({ method: "POST", url: "/body", headers: json, body: "{" }),
    await app.inject({ method: "POST", url: "/body", headers: json, body: JSON.stringify("x".repeat(200)) }),
  ].map((answer) => [answer.statusCode, answer.json<{ status: number }>().status]);
  expect(statuses).toEqual([
    [404, 404],
    [400, 400],
    [413, 413],
  ]);
});

test("a taken default port moves on, a taken port that was set is an error that names the flag", async () => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  closing.push(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const options = { host: "127.0.0.1", port, what: "the dashboard", flag: "--port" };
  expect(await choosePort({ ...options, moveWhenTaken: true })).toBeGreaterThan(port);
  await expect(choosePort({ ...options, moveWhenTaken: false })).rejects.toThrow(
    `port ${port} for the dashboard is taken on 127.0.0.1; stop the process that listens there or choose another with --port`,
  );
});
