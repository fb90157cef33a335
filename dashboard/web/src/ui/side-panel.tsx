import { CloseButton } from "@mantine/core";
import { type ReactNode, useId } from "react";
import { useTranslation } from "react-i18next";
import classes from "./side-panel.module.css";

/** What is selected, beside the list it was selected in; over it on a narrow screen. */
export function SidePanel({
  title,
  onClose,
  children,
}: {
  title: ReactNode;
  onClose: () => void;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const id = useId();
  return (
    <section className={classes["panel"]} aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        <CloseButton size="sm" aria-label={t("state.close")} onClick={onClose} />
      </header>
      <div className={classes["body"]}>{children}</div>
    </section>
  );
}
