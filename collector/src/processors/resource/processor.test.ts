import { describe, expect, test } from "vitest";
import { gauge, log, span } from "../../testing/records.ts";
import { ResourceConfig } from "./config.ts";
import { changeResources } from "./processor.ts";

const { attributes: actions } = ResourceConfig.parse({
  attributes: [
    { key: "service.name", action: "insert", value: "ignored" },
    { key: "env", action: "insert", value: "demo" },
    { key: "absent", action: "update", value: 1 },
    { key: "zone", action: "upsert", value: 7 },
    { key: "host.name", action: "delete" },
  ],
});
const changed = { attributes: { "service.name": "sms", env: "demo", zone: 7 } };

describe("changes the resources of", () => {
  const resource = { attributes: { "service.name": "sms", "host.name": "h1", zone: "old" } };

  test("logs, whose records go on sharing them", () => {
    const result = changeResources(
      { signal: "logs", records: [log("a", { resource }), log("b", { resource })] },
      actions,
    );
    if (result.signal !== "logs") throw new Error("another signal came out");
    expect(result.records.map((record) => record.resource)).toEqual([changed, changed]);
    expect(result.records[0]?.resource).toBe(result.records[1]?.resource);
    expect(resource.attributes["host.name"]).toBe("h1");
  });

  test("spans and metrics", () => {
    const spans = changeResources({ signal: "traces", spans: [span("a", { resource })] }, actions);
    const metrics = changeResources({ signal: "metrics", metrics: [{ ...gauge("a", 1), resource }] }, actions);
    expect(spans).toMatchObject({ spans: [{ name: "a", resource: changed }] });
    expect(metrics).toMatchObject({ metrics: [{ name: "a", resource: changed }] });
  });
});
