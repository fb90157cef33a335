import type { LogItem } from "@tocsin/model";
import { useCallback, useEffect, useRef, useState } from "react";
import { openTail } from "../../api/logs.ts";
import { addToTail, EMPTY_TAIL, releaseTail, type TailBuffer } from "./tail-buffer.ts";

/** Milliseconds between two renderings of what came in: fast enough to feel live, slow enough to read. */
const CADENCE_MS = 1000;
/** Rows kept between two renderings; a burst beyond it loses its oldest. */
const MOST_PER_BEAT = 2000;

/** The live rows of a search while `active`. `isHeld` is asked at each beat whether the list must stand still. */
export function useTail(q: string, active: boolean, isHeld: () => boolean) {
  const [rows, setRows] = useState<{ q: string; buffer: TailBuffer }>({ q, buffer: EMPTY_TAIL });
  // What came in for another search is not this one's.
  const buffer = rows.q === q ? rows.buffer : EMPTY_TAIL;
  const [connected, setConnected] = useState(false);
  const held = useRef(isHeld);
  useEffect(() => {
    held.current = isHeld;
  });
  useEffect(() => {
    if (!active) return undefined;
    let arrived: LogItem[] = [];
    const close = openTail(
      q,
      (item) => {
        arrived.push(item);
        if (arrived.length > MOST_PER_BEAT) arrived.shift();
      },
      setConnected,
    );
    const beat = setInterval(() => {
      const batch = arrived;
      arrived = [];
      setRows((current) => ({
        q,
        buffer: addToTail(current.q === q ? current.buffer : EMPTY_TAIL, batch, held.current()),
      }));
    }, CADENCE_MS);
    return () => {
      clearInterval(beat);
      close();
      setConnected(false);
    };
  }, [q, active]);
  const release = useCallback(() => setRows(({ q, buffer }) => ({ q, buffer: releaseTail(buffer) })), []);
  return { buffer, connected, release };
}
