import type { ParseKeys } from "i18next";

export type ShortcutScope = "goTo" | "everywhere" | "page";

export interface Shortcut {
  /** `g l` (one key, then another), `/`, `shift+arrowleft`, `escape`: as KeyboardEvent.key in lower case. */
  keys: string;
  label: ParseKeys;
  scope: ShortcutScope;
  /** Answers false when the key had nothing to do, and is then left to the next one registered for it. */
  run: () => boolean | void;
}

export interface KeyPress {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
  /** Whether the press goes into a text field, an editor or an open menu. */
  typing: boolean;
}

/** Milliseconds within which the second key of a chord must follow. */
const CHORD_MS = 1200;

/**
 * The keys that do something now. The latest registered wins, so that an open panel takes Escape from the page.
 * Presses while typing and presses with Ctrl, Alt or Meta are left alone, except Escape while typing in nothing of its own.
 */
export class ShortcutRegistry {
  enabled = true;
  #shortcuts: Shortcut[] = [];
  #pending: { key: string; at: number } | undefined;
  readonly #listeners = new Set<() => void>();

  add(shortcuts: readonly Shortcut[]): () => void {
    this.#shortcuts = [...this.#shortcuts, ...shortcuts];
    this.#changed();
    return () => {
      this.#shortcuts = this.#shortcuts.filter((each) => !shortcuts.includes(each));
      this.#changed();
    };
  }

  list(): readonly Shortcut[] {
    return this.#shortcuts;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Whether the press was taken. `at` is in milliseconds on any steady clock. */
  press(press: KeyPress, at: number): boolean {
    if (press.ctrlKey || press.metaKey || press.altKey || press.typing) return false;
    const key = nameOf(press);
    if (!this.enabled && key !== "escape") return false;
    const first = this.#pending;
    this.#pending = undefined;
    if (first !== undefined && at - first.at <= CHORD_MS && this.#run(`${first.key} ${key}`)) return true;
    if (this.#run(key)) return true;
    if (!this.#shortcuts.some((each) => each.keys.startsWith(`${key} `))) return false;
    this.#pending = { key, at };
    return true;
  }

  #run(keys: string): boolean {
    for (const shortcut of this.#shortcuts.toReversed())
      if (shortcut.keys === keys && shortcut.run() !== false) return true;
    return false;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Shift counts only where the key itself does not already say it: `?` is `?`, but Shift+← is `shift+arrowleft`. */
function nameOf({ key, shiftKey }: KeyPress): string {
  return shiftKey && key.length > 1 ? `shift+${key.toLowerCase()}` : key.toLowerCase();
}
