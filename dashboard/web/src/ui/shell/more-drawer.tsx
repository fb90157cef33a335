import { Drawer } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

/** The pages that do not fit along the bottom, from below. */
export function MoreDrawer({ onClose, children }: { onClose: () => void; children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <Drawer
      opened
      onClose={onClose}
      position="bottom"
      size={260}
      title={t("nav.more")}
      closeButtonProps={{ "aria-label": t("state.close") }}
    >
      {children}
    </Drawer>
  );
}
