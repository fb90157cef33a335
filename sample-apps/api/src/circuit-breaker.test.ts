import { expect, test } from "vitest";
import { CircuitBreaker } from "./circuit-breaker.ts";

function breaker() {
  let now = 0;
  const circuit = new CircuitBreaker({ failuresToOpen: 3, openMs: 5000, now: () => now });
  return { circuit, advance: (ms: number) => (now += ms) };
}

test("opens after failures in a row, not after as many with a success between", () => {
  const { circuit } = breaker();
  circuit.failed();
  circuit.failed();
  circuit.succeeded();
  circuit.failed();
  circuit.failed();
  expect(circuit.open).toBe(false);
  circuit.failed();
  expect(circuit.open).toBe(true);
  expect(circuit.allows()).toBe(false);
});

test("lets one call through after the pause, and closes when it succeeds", () => {
  const { circuit, advance } = breaker();
  for (let i = 0; i < 3; i++) circuit.failed();
  advance(5000);
  expect([circuit.allows(), circuit.allows()]).toEqual([true, false]);
  circuit.succeeded();
  expect(circuit.open).toBe(false);
  expect(circuit.allows()).toBe(true);
});

test("stays open for another pause when the one call fails", () => {
  const { circuit, advance } = breaker();
  for (let i = 0; i < 3; i++) circuit.failed();
  advance(5000);
  circuit.allows();
  circuit.failed();
  advance(4999);
  expect(circuit.allows()).toBe(false);
  advance(1);
  expect(circuit.allows()).toBe(true);
});
