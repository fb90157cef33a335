import { type PointerEvent, useState } from "react";
import { brushedSpan } from "./time-scale.ts";

const NO_INSETS = { left: 0, right: 0 };

/**
 * Drag over a time axis to pick a part of it. Gives the handlers for the drag's surface and where the drag stands, 0…1.
 * `insets` are the pixels of the surface left and right of the axis.
 */
export function useBrush(
  fromMs: number,
  toMs: number,
  onPick: (fromMs: number, toMs: number) => void,
  insets = NO_INSETS,
) {
  const [drag, setDrag] = useState<{ start: number; end: number }>();
  const place = (event: PointerEvent) => {
    const { left, width } = event.currentTarget.getBoundingClientRect();
    return (event.clientX - left - insets.left) / (width - insets.left - insets.right);
  };
  const handlers = {
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      setDrag({ start: place(event), end: place(event) });
    },
    onPointerMove: (event: PointerEvent) => {
      if (drag !== undefined) setDrag({ ...drag, end: place(event) });
    },
    onPointerUp: (event: PointerEvent) => {
      if (drag === undefined) return;
      const span = brushedSpan(drag.start, place(event), fromMs, toMs);
      setDrag(undefined);
      if (span !== undefined) onPick(span.fromMs, span.toMs);
    },
    onPointerCancel: () => setDrag(undefined),
  };
  const cancel = () => {
    setDrag(undefined);
    return drag !== undefined;
  };
  return { drag, handlers, cancel };
}
