import { describe, expect, test } from "vitest";
import { relabel, RelabelConfig } from "./relabel.ts";

const steps = (...configs: object[]) => configs.map((config) => RelabelConfig.parse(config));
const labels = { __name__: "m", a: "foo", b: "bar", c: "baz" };

describe("actions", () => {
  test.each<[string, object[], object | undefined]>([
    [
      "replace fills in groups",
      [{ source_labels: ["a"], regex: "f(.*)", target_label: "d", replacement: "ch${1}-ch$1" }],
      { ...labels, d: "choo-choo" },
    ],
    [
      "replace leaves alone what does not match whole",
      [{ source_labels: ["a"], regex: "o", target_label: "d" }],
      labels,
    ],
    [
      "replace joins sources",
      [{ source_labels: ["a", "none", "b"], separator: "/", target_label: "d" }],
      { ...labels, d: "foo//bar" },
    ],
    [
      "replace with nothing removes the label",
      [{ source_labels: ["a"], target_label: "a", replacement: "" }],
      { __name__: "m", b: "bar", c: "baz" },
    ],
    [
      "replace takes groups in the target",
      [{ source_labels: ["a"], regex: "(f)oo", target_label: "${1}_x", replacement: "1" }],
      { ...labels, f_x: "1" },
    ],
    ["replace without sources sets a label", [{ target_label: "d", replacement: "x" }], { ...labels, d: "x" }],
    ["keep keeps", [{ source_labels: ["a"], regex: "f.*", action: "keep" }], labels],
    ["keep drops the rest", [{ source_labels: ["a"], regex: "f", action: "keep" }], undefined],
    ["drop drops", [{ source_labels: ["a", "b"], regex: "foo;bar", action: "drop" }], undefined],
    ["drop keeps the rest", [{ source_labels: ["a"], regex: "x", action: "Drop" }], labels],
    ["keepequal drops what differs", [{ source_labels: ["a"], target_label: "b", action: "keepequal" }], undefined],
    [
      "dropequal drops what is equal",
      [
        { target_label: "a", replacement: "bar" },
        { source_labels: ["a"], target_label: "b", action: "dropequal" },
      ],
      undefined,
    ],
    [
      "hashmod is Prometheus' own",
      [{ source_labels: ["c"], modulus: 1000, target_label: "d", action: "hashmod" }],
      { ...labels, d: "976" },
    ],
    [
      "labelmap copies",
      [{ regex: "(b|c)", replacement: "x_$1", action: "labelmap" }],
      { ...labels, x_b: "bar", x_c: "baz" },
    ],
    ["labeldrop removes", [{ regex: "[ab]", action: "labeldrop" }], { __name__: "m", c: "baz" }],
    ["labelkeep removes the rest", [{ regex: "__name__|a", action: "labelkeep" }], { __name__: "m", a: "foo" }],
    [
      "lowercase, uppercase",
      [
        { source_labels: ["a"], target_label: "d", action: "uppercase" },
        { source_labels: ["d"], target_label: "e", action: "lowercase" },
      ],
      { ...labels, d: "FOO", e: "foo" },
    ],
  ])("%s", (_, configs, expected) => {
    expect(relabel(labels, steps(...configs))).toEqual(expected);
  });
});

test.each([
  [{ regex: "(" }, "regex"],
  [{ regex: "(?=a)", target_label: "a" }, "regex"],
  [{ source_labels: ["a"] }, "target_label"],
  [{ target_label: "a-b" }, "target_label"],
  [{ target_label: "a", action: "hashmod" }, "modulus"],
  [{ target_label: "a", action: "shuffle" }, "action"],
  [{ target: "a" }, ""],
])("%o is refused at %s", (config, path) => {
  const result = RelabelConfig.safeParse(config);
  expect(result.error?.issues.map((issue) => issue.path.join("."))).toContain(path);
});
