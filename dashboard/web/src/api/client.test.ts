import { afterEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { ApiError, explain, getJson, getPrometheus, queryString } from "./client.ts";

afterEach(() => vi.unstubAllGlobals());

function answer(body: string, status = 200, headers: Record<string, string> = { "content-type": "application/json" }) {
  vi.stubGlobal("fetch", async () => new Response(body, { status, headers }));
}

async function errorOf(request: Promise<unknown>): Promise<ApiError> {
  const error = await request.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiError)) throw new Error("expected an ApiError");
  return error;
}

test("writes parameters, lists one by one, and leaves out what is empty", () => {
  expect(queryString({ q: "a b", limit: 10, cursor: "", filter: ["x=1", "y=2"], to: undefined })).toBe(
    "?q=a+b&limit=10&filter=x%3D1&filter=y%3D2",
  );
  expect(queryString({})).toBe("");
});

test.each([
  [{ type: "about:blank", title: "Bad Request", status: 400, detail: "limit: too large" }, "limit: too large"],
  [{ status: "error", errorType: "bad_data", error: "1:5: parse error" }, "1:5: parse error"],
  ["invalid silence: start must be before end", "invalid silence: start must be before end"],
  [{ code: 601, message: "body.matchers is required" }, "body.matchers is required"],
  ["<html>proxy</html>", "HTTP 502"],
  ["", "HTTP 502"],
])("finds the reason in %j", (body, reason) => expect(explain(body, 502)).toBe(reason));

test("a status of 400 and up is an error with the reason and the request's id", async () => {
  answer('"silence not found"', 404, { "content-type": "application/json", "x-request-id": "r-7" });
  const error = await errorOf(getJson("/api/v2/silences", z.unknown()));
  expect([error.status, error.message, error.requestId]).toEqual([404, "silence not found", "r-7"]);
});

test("an answer of another shape is an error that names the place", async () => {
  answer('{"items":[{"id":7}]}');
  const error = await errorOf(getJson("/x", z.object({ items: z.array(z.object({ id: z.string() })) })));
  expect(error.message).toContain("items.0.id");
});

test("an absent server is an error of status 0", async () => {
  vi.stubGlobal("fetch", async () => {
    throw new TypeError("Failed to fetch");
  });
  expect((await errorOf(getJson("/x", z.unknown()))).status).toBe(0);
});

test("takes the data out of a Prometheus envelope", async () => {
  answer('{"status":"success","data":["a","b"]}');
  expect(await getPrometheus("labels", z.array(z.string()))).toEqual(["a", "b"]);
});
