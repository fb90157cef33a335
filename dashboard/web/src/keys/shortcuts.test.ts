import { expect, test } from "vitest";
import { type KeyPress, ShortcutRegistry } from "./shortcuts.ts";

const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  shiftKey: false,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  typing: false,
  ...more,
});

function registry(...keys: string[]) {
  const ran: string[] = [];
  const shortcuts = new ShortcutRegistry();
  for (const each of keys)
    shortcuts.add([{ keys: each, label: "keys.open", scope: "page", run: () => void ran.push(each) }]);
  return { shortcuts, ran };
}

test("a chord runs when its keys follow each other in time", () => {
  const { shortcuts, ran } = registry("g l", "l");
  expect(shortcuts.press(press("g"), 0)).toBe(true);
  expect(shortcuts.press(press("l"), 500)).toBe(true);
  expect(ran).toEqual(["g l"]);
});

test("a chord that takes too long is two single keys", () => {
  const { shortcuts, ran } = registry("g l", "l");
  shortcuts.press(press("g"), 0);
  shortcuts.press(press("l"), 1300);
  expect(ran).toEqual(["l"]);
});

test("keys typed into a field or pressed with Ctrl, Alt or Meta are left alone", () => {
  const { shortcuts, ran } = registry("s");
  for (const more of [{ typing: true }, { ctrlKey: true }, { altKey: true }, { metaKey: true }])
    expect(shortcuts.press(press("s", more), 0)).toBe(false);
  expect(ran).toEqual([]);
});

test("Shift is part of the name only where the key does not say it already", () => {
  const { shortcuts, ran } = registry("?", "shift+arrowleft", "arrowleft");
  shortcuts.press(press("?", { shiftKey: true }), 0);
  shortcuts.press(press("ArrowLeft", { shiftKey: true }), 0);
  expect(ran).toEqual(["?", "shift+arrowleft"]);
});

test("the latest registered is asked first, and passes on what it has no use for", () => {
  const ran: string[] = [];
  const shortcuts = new ShortcutRegistry();
  const add = (name: string, takes: boolean) =>
    shortcuts.add([{ keys: "escape", label: "keys.close", scope: "page", run: () => (ran.push(name), takes) }]);
  add("page", true);
  const remove = add("panel", false);
  shortcuts.press(press("Escape"), 0);
  expect(ran).toEqual(["panel", "page"]);
  remove();
  shortcuts.press(press("Escape"), 0);
  expect(ran).toEqual(["panel", "page", "page"]);
});

test("switched off, only Escape is left", () => {
  const { shortcuts, ran } = registry("s", "escape");
  shortcuts.enabled = false;
  shortcuts.press(press("s"), 0);
  shortcuts.press(press("Escape"), 0);
  expect(ran).toEqual(["escape"]);
});
