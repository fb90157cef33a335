import fc from "fast-check";
import { expect, test } from "vitest";
import { TokenBucket } from "./token-bucket.ts";

test("lets a burst of the capacity pass, then says how long to wait", () => {
  const bucket = new TokenBucket({ capacity: 3, refillPerSecond: 2 }, 0);
  expect([1, 2, 3].map(() => bucket.take(1, 0).decision)).toEqual(["allowed", "allowed", "allowed"]);
  expect(bucket.take(1, 0)).toEqual({ decision: "limited", tokens: 0, retryAfterMs: 500 });
  expect(bucket.take(1, 499).decision).toBe("limited");
  expect(bucket.take(1, 500)).toEqual({ decision: "allowed", tokens: 0 });
});

test("fills up with time, but never above the capacity", () => {
  const bucket = new TokenBucket({ capacity: 10, refillPerSecond: 2 }, 0);
  bucket.take(10, 0);
  expect(bucket.tokens(1500)).toBe(3);
  expect(bucket.tokens(3_600_000)).toBe(10);
});

test("names no waiting time where none would help", () => {
  expect(new TokenBucket({ capacity: 0, refillPerSecond: 0 }, 0).take(1, 0)).toEqual({
    decision: "limited",
    tokens: 0,
    retryAfterMs: null,
  });
  expect(new TokenBucket({ capacity: 5, refillPerSecond: 1 }, 0).take(6, 0)).toMatchObject({ retryAfterMs: null });
});

test("takes no tokens away when the clock is set back", () => {
  const bucket = new TokenBucket({ capacity: 5, refillPerSecond: 1 }, 10_000);
  bucket.take(1, 10_000);
  expect(bucket.tokens(2000)).toBe(4);
});

test("never allows more than capacity plus refill, whatever the requests", () => {
  const request = fc.record({ afterMs: fc.integer({ min: 0, max: 2000 }), cost: fc.integer({ min: 0, max: 8 }) });
  fc.assert(
    fc.property(fc.array(request, { maxLength: 100 }), (requests) => {
      const bucket = new TokenBucket({ capacity: 10, refillPerSecond: 3 }, 0);
      let now = 0;
      let granted = 0;
      for (const { afterMs, cost } of requests) {
        now += afterMs;
        if (bucket.take(cost, now).decision === "allowed") granted += cost;
      }
      expect(granted).toBeLessThanOrEqual(10 + (now / 1000) * 3 + 1e-6);
    }),
  );
});
