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
  const [buffer, setBuffer] = useState<TailBuffer>(EMPTY_TAIL);
  const [connected, setConnected] = useState(false);
  const held = useRef(isHeld);
  useEffect(() => {
    held.current = isHeld;
  });
  useEffect(() => setBuffer(EMPTY_TAIL), [q]);
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
      setBuffer((current) => addToTail(current, batch, held.current()));
    }, CADENCE_MS);
    return () => {
      clearInterval(beat);
      close();
      setConnected(false);
    };
  }, [q, active]);
  const release = useCallback(() => setBuffer(releaseTail), []);
  return { buffer, connected, release };
}
