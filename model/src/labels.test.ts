import { expect, test } from "vitest";
import { compareLabels, fingerprint, formatLabels, labelsEqual, labelsKey } from "./labels.ts";
import { compareStrings } from "./order.ts";

// Values computed with github.com/prometheus/common/model.
test.each([
  [{}, "cbf29ce484222325"],
  [{ a: "b" }, "d2b371819297f98a"],
  [{ service: "sms", alertname: "SmsDeliveryFailing" }, "ff7d7ea03338d0af"],
  [{ 中文: "值", z: "😀", a: "" }, "242f2276db1ca696"],
])("fingerprint of %j is that of Prometheus' library", (labels, expected) => {
  expect(fingerprint(labels)).toBe(expected);
});

test("strings sort as their UTF-8 bytes do, also beyond the basic plane", () => {
  expect(["😀", "\uFFFD", "é", "a", "ab"].sort(compareStrings)).toEqual(["a", "ab", "é", "\uFFFD", "😀"]);
});

test("a label set that begins another one sorts before it", () => {
  expect(compareLabels({ a: "1" }, { a: "1", b: "1" })).toBeLessThan(0);
  expect(compareLabels({ a: "2" }, { a: "1", b: "1" })).toBeGreaterThan(0);
  expect(compareLabels({ b: "1", a: "1" }, { a: "1", b: "1" })).toBe(0);
});

test("keys differ wherever sets differ, also where names and values run together", () => {
  expect(labelsKey({ a: "bc" })).not.toBe(labelsKey({ ab: "c" }));
  expect(labelsKey({ a: "b", c: "d" })).toBe(labelsKey({ c: "d", a: "b" }));
});

test("equality looks at every pair", () => {
  expect(labelsEqual({ a: "1", b: "2" }, { b: "2", a: "1" })).toBe(true);
  expect(labelsEqual({ a: "1", b: "2" }, { a: "1", c: "2" })).toBe(false);
  expect(labelsEqual({ a: "1" }, { a: "1", b: "" })).toBe(false);
});

test("prints with quotes escaped", () => {
  expect(formatLabels({ b: 'x"y', a: "1" })).toBe('{a="1", b="x\\"y"}');
});
