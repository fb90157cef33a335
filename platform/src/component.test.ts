import { expect, test } from "vitest";
import { startAll, stopAll, type Component } from "./component.ts";

function recorder() {
  const calls: string[] = [];
  const component = (name: string, failing?: "start" | "stop"): Component => ({
    name,
    async start() {
      calls.push(`start ${name}`);
      if (failing === "start") throw new Error(`${name} cannot start`);
    },
    async stop() {
      calls.push(`stop ${name}`);
      if (failing === "stop") throw new Error(`${name} cannot stop`);
    },
  });
  return { calls, component };
}

test("starts in order and stops in reverse", async () => {
  const { calls, component } = recorder();
  const all = [component("a"), component("b")];
  await startAll(all);
  await stopAll(all);
  expect(calls).toEqual(["start a", "start b", "stop b", "stop a"]);
});

test("takes back what was started when one fails", async () => {
  const { calls, component } = recorder();
  await expect(startAll([component("a"), component("b", "start"), component("c")])).rejects.toThrow("b cannot start");
  expect(calls).toEqual(["start a", "start b", "stop b", "stop a"]);
});

test("one that cannot stop does not keep the others running", async () => {
  const { calls, component } = recorder();
  await expect(stopAll([component("a"), component("b", "stop")])).rejects.toThrow("b cannot stop");
  expect(calls).toEqual(["stop b", "stop a"]);
});
