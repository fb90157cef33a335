import { useMemo } from "react";
import { useNow } from "../ui/use-now.ts";
import { resolveRange, type Span } from "./range.ts";
import { useRange } from "./use-range.ts";

/** Milliseconds between two looks at the clock: a relative range moves on at this pace. */
const PACE_MS = 5000;

/** The range in the URL as two points in time, as of about now. */
export function useSpan(): Span {
  const { range } = useRange();
  const now = useNow(PACE_MS);
  return useMemo(() => resolveRange(range, now), [range, now]);
}
