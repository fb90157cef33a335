import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { en } from "./en.ts";
import { preferredLanguage } from "./index.ts";
import { zhCN } from "./zh-cn.ts";

interface Tree {
  [key: string]: string | Tree;
}

function leaves(tree: Tree, path = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) =>
    typeof value === "string" ? [[path + key, value] as [string, string]] : leaves(value, `${path}${key}.`),
  );
}

const english = new Map(leaves(en));
const chinese = new Map(leaves(zhCN));
const stem = (key: string) => key.replace(/_(?:one|other)$/, "");
const variables = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = ""]) => name).sort();

test("both languages have the same messages", () => {
  expect([...new Set([...chinese.keys()].map(stem))].sort()).toEqual(
    [...new Set([...english.keys()].map(stem))].sort(),
  );
});

test("a counted English message has both its forms, a Chinese one the only form it has", () => {
  const ones = [...english.keys()].filter((key) => key.endsWith("_one"));
  expect(ones.filter((key) => !english.has(key.replace(/_one$/, "_other")))).toEqual([]);
  expect([...chinese.keys()].filter((key) => key.endsWith("_one"))).toEqual([]);
});

test("a message uses the same variables in both languages", () => {
  const different = [...chinese].filter(([key, text]) => {
    const original = english.get(key) ?? "";
    return variables(text).join() !== variables(original).join();
  });
  expect(different.map(([key]) => key)).toEqual([]);
});

test("no message is left in English by oversight", () => {
  const same = [...chinese].filter(
    ([key, text]) => english.get(key) === text && /[a-z]{4,}/i.test(text.replace(/\{\{.*?\}\}/g, "")),
  );
  expect(same.map(([key]) => key)).toEqual([
    "app.name",
    "app.titleFiring",
    "app.title",
    "inbox.webhook",
    "inbox.html",
    "inbox.json",
    "logs.searchPlaceholder",
    "traces.searchPlaceholder",
  ]);
});

test("every message is used", () => {
  const sources = sourceFiles(join(import.meta.dirname, ".."))
    .map((file) => readFileSync(file, "utf8"))
    .join("\n");
  const built = [...sources.matchAll(/`([\w.]+\.)\$\{/g)].map(([, prefix = ""]) => prefix);
  const unused = [...new Set([...english.keys()].map(stem))].filter(
    (key) =>
      !sources.includes(`"${key}"`) &&
      !built.some((prefix) => key.startsWith(prefix) && !key.slice(prefix.length).includes(".")),
  );
  expect(unused).toEqual([]);
});

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => /\.tsx?$/.test(name) && !name.startsWith("i18n"))
    .map((name) => join(folder, name));
}

test.each([
  { saved: "zh-CN", wanted: ["en"], language: "zh-CN" },
  { saved: null, wanted: ["zh-TW", "en"], language: "zh-CN" },
  { saved: null, wanted: ["de-DE", "en-GB"], language: "en" },
  { saved: "klingon", wanted: ["fr"], language: "en" },
])("prefers $language for $wanted when $saved was chosen before", ({ saved, wanted, language }) => {
  expect(preferredLanguage(saved, wanted)).toBe(language);
});
