import { Kbd, Modal, Switch } from "@mantine/core";
import { useState, useSyncExternalStore } from "react";
import { useTranslation } from "react-i18next";
import type { Shortcut, ShortcutScope } from "../../keys/shortcuts.ts";
import { setShortcutsEnabled, shortcuts } from "../../keys/use-shortcuts.ts";
import classes from "./shortcut-sheet.module.css";

const SCOPES: readonly ShortcutScope[] = ["page", "goTo", "everywhere"];
const SYMBOLS: Record<string, string> = {
  arrowleft: "←",
  arrowright: "→",
  arrowup: "↑",
  arrowdown: "↓",
  escape: "Esc",
  enter: "Enter",
  shift: "Shift",
};

/** What the keys do on this page, read from the registry. */
export function ShortcutSheet({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const list = useSyncExternalStore(shortcuts.subscribe, () => shortcuts.list());
  const [enabled, setEnabled] = useState(shortcuts.enabled);
  const change = (next: boolean) => {
    setShortcutsEnabled(next);
    setEnabled(next);
  };
  return (
    <Modal
      opened
      onClose={onClose}
      title={t("keys.title")}
      size="lg"
      closeButtonProps={{ "aria-label": t("state.close") }}
    >
      <div className={classes["scopes"]}>
        {SCOPES.map((scope) => {
          const rows = grouped(list.filter((shortcut) => shortcut.scope === scope));
          if (rows.length === 0) return null;
          return (
            <section key={scope}>
              <h3>{t(`keys.${scope}`)}</h3>
              <dl>
                {rows.map(({ label, keys }) => (
                  <div key={label}>
                    <dt>{t(label)}</dt>
                    <dd>
                      {keys.map((each) => (
                        <span key={each}>
                          {each.split(/[ +](?=.)/).map((key) => (
                            <Kbd key={key} size="xs">
                              {SYMBOLS[key] ?? key}
                            </Kbd>
                          ))}
                        </span>
                      ))}
                    </dd>
                  </div>
                ))}
              </dl>
            </section>
          );
        })}
      </div>
      <Switch
        mt="lg"
        checked={enabled}
        onChange={(event) => change(event.currentTarget.checked)}
        label={t("keys.enabled")}
        description={t("keys.enabledWhy")}
      />
    </Modal>
  );
}

/** One row per meaning, with every key for it. */
function grouped(list: readonly Shortcut[]): { label: Shortcut["label"]; keys: string[] }[] {
  const rows = new Map<Shortcut["label"], Set<string>>();
  for (const { label, keys } of list) rows.set(label, (rows.get(label) ?? new Set()).add(keys));
  return [...rows].map(([label, keys]) => ({ label, keys: [...keys] }));
}
