import { useEffect, useEffectEvent } from "react";
import { type Shortcut, ShortcutRegistry } from "./shortcuts.ts";

const STORAGE_KEY = "tocsin.singleKeys";

export const shortcuts = new ShortcutRegistry();

export function setShortcutsEnabled(enabled: boolean): void {
  shortcuts.enabled = enabled;
  localStorage.setItem(STORAGE_KEY, enabled ? "on" : "off");
}

/** Listens to the keyboard for as long as the caller is mounted. */
export function useKeyboard(): void {
  useEffect(() => {
    shortcuts.enabled = localStorage.getItem(STORAGE_KEY) !== "off";
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || (event.repeat && event.key === "Escape")) return;
      if (shortcuts.press({ ...pick(event), typing: isTyping(event.target) }, event.timeStamp)) event.preventDefault();
    };
    window.addEventListener("keydown", onKeyDown);
    return () => window.removeEventListener("keydown", onKeyDown);
  }, []);
}

/** Registers shortcuts while the caller is mounted and `active`. `runs` may change on every render. */
export function useShortcuts(list: readonly Shortcut[], active = true): void {
  const run = useEffectEvent((index: number) => list[index]?.run());
  const shape = list.map(({ keys, label, scope }) => `${keys}\n${label}\n${scope}`).join("\n\n");
  useEffect(() => {
    if (!active) return undefined;
    const stable = shape.split("\n\n").map((each, index) => {
      const [keys, label, scope] = each.split("\n") as [string, Shortcut["label"], Shortcut["scope"]];
      return { keys, label, scope, run: () => run(index) };
    });
    return shortcuts.add(stable);
  }, [shape, active]);
}

function pick({
  key,
  shiftKey,
  ctrlKey,
  metaKey,
  altKey,
}: KeyboardEvent): Omit<Parameters<typeof shortcuts.press>[0], "typing"> {
  return { key, shiftKey, ctrlKey, metaKey, altKey };
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.closest("[role=menu],[role=listbox],[role=dialog][aria-modal=true]"))
    return true;
  return target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
}
