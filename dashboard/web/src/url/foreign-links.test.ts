import { expect, test } from "vitest";
import { translateForeign } from "./foreign-links.ts";

test.each([
  ["/graph?g0.expr=up+%3D%3D+0&g0.tab=1&g1.expr=x", "/metrics?e=up+%3D%3D+0&e=x"],
  ["/#/alerts?receiver=on-call", "/alerts?q=%40receiver%3D%22on-call%22"],
  ["/#/alerts?filter=%7Bservice%3D%22sms%22%7D", "/alerts?q=service%3D%22sms%22"],
  ["/#/silences/new?filter=%7Balertname%3D%22A%22%7D", "/silences?m=%7Balertname%3D%22A%22%7D"],
  ["/#/silences", "/silences"],
  ["/#/status", "/"],
])("a link to %s leads to %s", (foreign, own) => {
  expect(translateForeign(new URL(foreign, "http://tocsin"))).toBe(own);
});

test.each(["/", "/alerts?q=x", "/logs#/other", "/#top"])("%s is our own", (address) => {
  expect(translateForeign(new URL(address, "http://tocsin"))).toBeUndefined();
});
