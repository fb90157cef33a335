import { expect, test } from "vitest";
import { frameDocument } from "./mail-frame.ts";

test("gives the mail's own styles the page's nonce, and opens links in a tab of their own", () => {
  const html = frameDocument(
    "<html><head><style>b{}</style><STYLE type='text/css'>i{}</STYLE></head><body/></html>",
    "n0nce",
  );
  expect(html).toContain('<style nonce="n0nce">b{}');
  expect(html).toContain(`<style nonce="n0nce" type='text/css'>i{}`);
  expect(html).toContain('<head><base target="_blank">');
});

test("takes a fragment without a head, and a page without a nonce", () => {
  expect(frameDocument("<p>hi</p>", undefined)).toMatch(
    /^<!doctype html><head><base target="_blank">.*<\/head><p>hi<\/p>$/,
  );
});
