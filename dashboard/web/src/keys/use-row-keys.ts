import { useState } from "react";
import { useShortcuts } from "./use-shortcuts.ts";

/**
 * `j`/`k` and ↓/↑ move through `count` rows, Enter opens the one they are on. Answers its index, −1 for none.
 * `onMove` brings the row into view.
 */
export function useRowKeys(
  count: number,
  {
    onOpen,
    onMove,
    arrows = true,
  }: { onOpen: (index: number) => void; onMove?: (index: number) => void; arrows?: boolean },
): [number, (index: number) => void] {
  const [wanted, setRow] = useState(-1);
  const row = Math.min(wanted, count - 1);
  const move = (by: 1 | -1) => {
    if (count === 0) return false;
    const next = Math.min(count - 1, Math.max(0, row + by));
    setRow(next);
    onMove?.(next);
    return true;
  };
  const open = () => {
    if (row < 0 || isControl(document.activeElement)) return false;
    onOpen(row);
    return true;
  };
  useShortcuts([
    { keys: "j", label: "keys.next", scope: "page", run: () => move(1) },
    { keys: "k", label: "keys.previous", scope: "page", run: () => move(-1) },
    { keys: "enter", label: "keys.open", scope: "page", run: open },
  ]);
  useShortcuts(
    [
      { keys: "arrowdown", label: "keys.next", scope: "page", run: () => move(1) },
      { keys: "arrowup", label: "keys.previous", scope: "page", run: () => move(-1) },
    ],
    arrows,
  );
  return [row, setRow];
}

/** Enter on a focused button or link is that button's. */
function isControl(element: Element | null): boolean {
  return element !== null && element.matches("button, a[href], summary, [role=tab]");
}
