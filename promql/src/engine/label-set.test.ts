import { compareLabels } from "@tocsin/model";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LabelSet, groupingBy, groupingWithout } from "./label-set.ts";

const labels = fc.dictionary(fc.string({ minLength: 1, maxLength: 3 }), fc.string({ minLength: 1, maxLength: 3 }), {
  maxKeys: 4,
  noNullPrototype: true,
});

describe("label sets", () => {
  it("have the same key exactly when they are equal, and sort as the model sorts", () => {
    fc.assert(
      fc.property(labels, labels, (a, b) => {
        const [x, y] = [LabelSet.from(a), LabelSet.from(b)];
        expect(x.key === y.key).toBe(compareLabels(a, b) === 0);
        expect(Math.sign(x.compare(y))).toBe(Math.sign(compareLabels(a, b)));
        expect(x.toLabels()).toEqual(a);
      }),
    );
  });

  it("change without changing the original", () => {
    const set = LabelSet.from({ __name__: "m", b: "1", __unit__: "s" });
    expect(set.with("a", "0").toLabels()).toEqual({ __name__: "m", __unit__: "s", a: "0", b: "1" });
    expect(set.with("b", "").toLabels()).toEqual({ __name__: "m", __unit__: "s" });
    expect(set.withoutMetadata().toLabels()).toEqual({ b: "1" });
    expect(String(set.with("c.d", 'x"'))).toBe(String.raw`{__name__="m", __unit__="s", b="1", "c.d"="x\""}`);
  });

  it("count a label with an empty value as missing", () => {
    expect(LabelSet.from({ a: "", b: "1" }).key).toBe(LabelSet.from({ b: "1" }).key);
  });

  it("group by some labels or by all others", () => {
    const [x, y] = [LabelSet.from({ __name__: "m", a: "1", b: "1" }), LabelSet.from({ __name__: "n", a: "1", b: "2" })];
    expect(groupingBy(["a"])(x)).toBe(groupingBy(["a"])(y));
    expect(groupingBy(["a", "b"])(x)).not.toBe(groupingBy(["a", "b"])(y));
    expect(groupingWithout(["b"])(x)).toBe(groupingWithout(["b"])(y));
  });
});
