import fc from "fast-check";
import { expect, test } from "vitest";
import { cutBytes, truncateBytes, truncateRunes } from "./truncate.ts";

test("a text that fits stays as it is", () => {
  expect(truncateRunes("👍👍👍", 3)).toBe("👍👍👍");
  expect(truncateBytes("grün", 5)).toBe("grün");
});

test("a text that is cut ends with an ellipsis inside the limit", () => {
  expect(truncateRunes("👍👍👍👍", 3)).toBe("👍👍…");
  expect(truncateBytes("grüner", 6)).toBe("gr…");
  expect(cutBytes("grün", 3)).toBe("gr");
});

test("no character is torn and no limit passed", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 4, max: 40 }), (text, max) => {
      const byBytes = truncateBytes(text, max);
      expect(Buffer.byteLength(byBytes)).toBeLessThanOrEqual(max);
      expect(text.startsWith(byBytes.replace(/…$/, ""))).toBe(true);
      expect(Array.from(truncateRunes(text, max)).length).toBeLessThanOrEqual(max);
    }),
  );
});
