import { expect, test } from "vitest";
import { eventually, runTocsin, startTocsin } from "@tocsin/testing";

test("tocsin drill sms-outage: mail and webhook within 45 s of the fault, resolved within 60 s of its undoing", async () => {
  const tocsin = await startTocsin();
  try {
    await eventually("the sms service reports traffic", 40_000, async () => {
      const { data } = await tocsin.get<{ data: { result: unknown[] } }>(
        `/api/v1/query?query=${encodeURIComponent('sum(rate(sms_messages_total{outcome="delivered"}[30s])) > 0')}`,
      );
      return data.result.length === 1;
    });
    const { code, output } = await runTocsin(["drill", "sms-outage", "--url", tocsin.address("dashboard")]);
    console.log(output);
    expect(output).toMatch(
      /injected .*\n.*seen .*\n.*pending .*\n.*firing .*\n.*sent .*\n.*unbroken .*\n.*resolved .*\npassed/,
    );
    expect(code).toBe(0);
  } finally {
    await tocsin.stop();
  }
});

test("a drill that does not exist, and a server that is not there, are told and end with 1", async () => {
  const tocsin = await startTocsin();
  try {
    const unknown = await runTocsin(["drill", "nonsense", "--url", tocsin.address("dashboard")]);
    expect([unknown.code, unknown.output]).toEqual([
      1,
      expect.stringContaining("there is no drill nonsense; there are sms-outage"),
    ]);
  } finally {
    await tocsin.stop();
  }
  const nobody = await runTocsin(["drill", "sms-outage", "--url", "http://127.0.0.1:1"]);
  expect([nobody.code, nobody.output]).toEqual([1, expect.stringContaining("nothing answers at http://127.0.0.1:1")]);
});
