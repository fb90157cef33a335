import { expect, test } from "vitest";
import { FaultPanel, httpFaults } from "./faults.ts";
import { createService } from "./service.ts";

function service(options: { faultsEnabled?: boolean; random?: () => number } = {}) {
  const app = createService(new FaultPanel(httpFaults), {
    logger: false,
    faultsEnabled: true,
    random: () => 0.4,
    ...options,
  });
  app.get("/work", async () => "done");
  const set = (name: string, payload: object) => app.inject({ method: "PUT", url: `/faults/${name}`, payload });
  return { app, set };
}

test("lists its faults as the platform reads them", async () => {
  const { app } = service();
  expect((await app.inject("/faults")).json()).toEqual({
    items: [
      {
        name: "latency",
        description: "Answers late, for a share of the requests",
        active: false,
        params: { ms: 1500, ratio: 1 },
      },
      {
        name: "error_rate",
        description: "Answers 500 to a share of the requests",
        active: false,
        params: { ratio: 0.5 },
      },
      { name: "crash", description: "Ends the process with an uncaught exception", active: false, params: {} },
    ],
  });
});

test("strikes the share of requests that the ratio says, and spares health check and panel", async () => {
  const { app, set } = service({ random: () => 0.4 });
  await set("error_rate", { active: true, params: { ratio: 0.3 } });
  expect((await app.inject("/work")).statusCode).toBe(200);
  await set("error_rate", { active: true, params: { ratio: 0.5 } });
  expect((await app.inject("/work")).statusCode).toBe(500);
  expect((await app.inject("/healthz")).statusCode).toBe(200);
  await set("error_rate", { active: false });
  expect((await app.inject("/work")).statusCode).toBe(200);
});

test.each([
  ["no such fault", "typo", { active: true }, 404],
  ["no such parameter", "latency", { active: true, params: { seconds: 1 } }, 404],
  ["no state", "latency", {}, 400],
  ["a parameter out of range", "latency", { active: true, params: { ms: -1 } }, 400],
])("refuses a change with %s", async (_what, name, payload, statusCode) => {
  const { set } = service();
  expect((await set(name, payload)).statusCode).toBe(statusCode);
});

test("hides the panel where it is not enabled", async () => {
  const { app } = service({ faultsEnabled: false });
  expect((await app.inject("/faults")).statusCode).toBe(404);
});

test("refuses a Host that is not this machine's, as a rebound name would bring", async () => {
  const { app } = service();
  const answer = await app.inject({ url: "/faults", headers: { host: "evil.example:8082" } });
  expect(answer.statusCode).toBe(403);
});
