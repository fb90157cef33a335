import { msToNano, tracesFromJson } from "@tocsin/model";
import { expect, test } from "vitest";
import { isSettled } from "./traces.ts";

const END = Date.parse("2026-11-21T12:00:00Z");
const spans = tracesFromJson({
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: [
            {
              traceId: "0".repeat(31) + "1",
              spanId: "0".repeat(15) + "1",
              name: "s",
              startTimeUnixNano: String(msToNano(END - 10)),
              endTimeUnixNano: String(msToNano(END)),
            },
          ],
        },
      ],
    },
  ],
});

test("a trace may still grow for half a minute after its last span", () => {
  expect(isSettled(spans, END + 29_000)).toBe(false);
  expect(isSettled(spans, END + 31_000)).toBe(true);
});
