import { expect, test } from "vitest";
import { VerificationCodes } from "./codes.ts";

const PHONE = "+8613800000001";

function codes(maxCodes = 100) {
  let now = 0;
  let next = 41;
  const verification = new VerificationCodes({
    ttlMs: 300_000,
    maxAttempts: 2,
    maxCodes,
    now: () => now,
    randomInt: () => (next += 1),
  });
  return { verification, advance: (ms: number) => (now += ms) };
}

test("accepts a code once", () => {
  const { verification } = codes();
  expect(verification.issue(PHONE)).toEqual({ code: "000042", expiresAtMs: 300_000 });
  expect(verification.verify(PHONE, "000042")).toBe("ok");
  expect(verification.verify(PHONE, "000042")).toBe("unknown");
});

test("forgets a code when its time is over", () => {
  const { verification, advance } = codes();
  verification.issue(PHONE);
  advance(299_999);
  expect(verification.verify(PHONE, "111111")).toBe("wrong");
  advance(1);
  expect(verification.verify(PHONE, "000042")).toBe("expired");
  expect(verification.verify(PHONE, "000042")).toBe("unknown");
});

test("stops guessing after the allowed attempts, even with the right code", () => {
  const { verification } = codes();
  verification.issue(PHONE);
  verification.verify(PHONE, "111111");
  verification.verify(PHONE, "222222");
  expect(verification.verify(PHONE, "000042")).toBe("exhausted");
});

test("lets a new code replace the old one", () => {
  const { verification } = codes();
  verification.issue(PHONE);
  verification.issue(PHONE);
  expect(verification.verify(PHONE, "000042")).toBe("wrong");
  expect(verification.verify(PHONE, "000043")).toBe("ok");
});

test("keeps no more codes than it may, dropping the oldest", () => {
  const { verification } = codes(2);
  for (const phone of ["+861", "+862", "+863"]) verification.issue(phone);
  expect(verification.verify("+861", "000042")).toBe("unknown");
  expect(verification.verify("+863", "000044")).toBe("ok");
});
