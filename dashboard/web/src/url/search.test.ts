import { expect, test } from "vitest";
import { z } from "zod";
import { linkTo, readSearch, writeSearch } from "./search.ts";

const Schema = z.object({ q: z.string().catch(""), view: z.enum(["groups", "table"]).catch("groups") });

test("reads what is there, and the default for what is missing or broken", () => {
  expect(readSearch(Schema, new URLSearchParams("q=a%20b&view=table"))).toEqual({ q: "a b", view: "table" });
  expect(readSearch(Schema, new URLSearchParams("view=cube"))).toEqual({ q: "", view: "groups" });
});

test("writes changes, keeps the parameters of others, and leaves defaults out of the address", () => {
  const before = new URLSearchParams("from=now-1h&lane=team&view=table");
  expect(writeSearch(Schema, before, { q: "x=y" }).toString()).toBe("from=now-1h&lane=team&view=table&q=x%3Dy");
  expect(writeSearch(Schema, before, { view: "groups" }).toString()).toBe("from=now-1h&lane=team");
  expect(before.get("view")).toBe("table");
});

test("a link carries range, zone and pause along, but not the page's own search", () => {
  const here = new URLSearchParams("from=now-1h&to=now&tz=UTC&live=off&q=secret&sel=3");
  expect(linkTo("/logs", here)).toBe("/logs?from=now-1h&to=now&tz=UTC&live=off");
  expect(linkTo("/logs", here, { q: "service:sms" })).toBe("/logs?from=now-1h&to=now&tz=UTC&live=off&q=service%3Asms");
  expect(linkTo("/alerts", new URLSearchParams())).toBe("/alerts");
});
