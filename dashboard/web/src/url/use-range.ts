import { useCallback, useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { DEFAULT_RANGE, type Range, readRange } from "./range.ts";

/** The range in the URL, and a way to set it. */
export function useRange(): { range: Range; setRange: (range: Range) => void } {
  const [params, setParams] = useSearchParams();
  const from = params.get("from");
  const to = params.get("to");
  // To tell a range from nonsense, the time at which the page was opened is near enough.
  const [opened] = useState(() => Date.now());
  const range = useMemo(() => readRange(from, to, opened), [from, to, opened]);
  const setRange = useCallback(
    (next: Range) =>
      setParams((current) => {
        const search = new URLSearchParams(current);
        const isDefault = next.from === DEFAULT_RANGE.from && next.to === DEFAULT_RANGE.to;
        for (const end of ["from", "to"] as const) {
          if (isDefault) search.delete(end);
          else search.set(end, next[end]);
        }
        return search;
      }),
    [setParams],
  );
  return { range, setRange };
}

/** Whether pages refresh themselves; `live=off` in the URL pauses them. */
export function useLive(): { live: boolean; setLive: (live: boolean) => void } {
  const [params, setParams] = useSearchParams();
  const setLive = useCallback(
    (live: boolean) =>
      setParams(
        (current) => {
          const search = new URLSearchParams(current);
          if (live) search.delete("live");
          else search.set("live", "off");
          return search;
        },
        { replace: true },
      ),
    [setParams],
  );
  return { live: params.get("live") !== "off", setLive };
}

/** The zone times are shown in: `tz` in the URL, or the browser's. An unknown name counts as none. */
export function useZone(): { zone: string; setZone: (zone: string | undefined) => void } {
  const [params, setParams] = useSearchParams();
  const asked = params.get("tz");
  const zone = useMemo(() => (asked !== null && isZone(asked) ? asked : localZone()), [asked]);
  const setZone = useCallback(
    (next: string | undefined) =>
      setParams(
        (current) => {
          const search = new URLSearchParams(current);
          if (next === undefined) search.delete("tz");
          else search.set("tz", next);
          return search;
        },
        { replace: true },
      ),
    [setParams],
  );
  return { zone, setZone };
}

export function localZone(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function isZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
