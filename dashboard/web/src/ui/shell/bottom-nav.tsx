import { IconDots } from "@tabler/icons-react";
import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { NavLink } from "react-router";
import { pages } from "../../pages.ts";
import { useLink } from "../../url/use-search.ts";
import classes from "./bottom-nav.module.css";

const MoreDrawer = lazy(() =>
  import("./more-drawer.tsx").then(({ MoreDrawer: Component }) => ({ default: Component })),
);

/** How many pages fit beside “More” on a telephone. */
const SLOTS = 4;

/** The pages along the bottom of a narrow screen; those that do not fit are behind “More”. */
export function BottomNav({ firing }: { firing: number }) {
  const { t } = useTranslation();
  const link = useLink();
  const [open, setOpen] = useState(false);
  const inNav = pages.flatMap(({ path, label, nav }) => (nav === undefined ? [] : [{ path, label, icon: nav.icon }]));
  const item = ({ path, label, icon: Icon }: (typeof inNav)[number]) => (
    <li key={path}>
      <NavLink to={link(path)} end={path === "/"} onClick={() => setOpen(false)}>
        <Icon size={20} stroke={1.6} aria-hidden />
        <span>{t(label)}</span>
        {path === "/alerts" && firing > 0 && <span className={classes["count"]}>{firing}</span>}
      </NavLink>
    </li>
  );
  return (
    <nav className={classes["bar"]} aria-label={t("nav.main")}>
      <ul>
        {inNav.slice(0, SLOTS).map(item)}
        <li>
          <button type="button" aria-haspopup="dialog" aria-expanded={open} onClick={() => setOpen(true)}>
            <IconDots size={20} stroke={1.6} aria-hidden />
            <span>{t("nav.more")}</span>
          </button>
        </li>
      </ul>
      {open && (
        <Suspense>
          <MoreDrawer onClose={() => setOpen(false)}>
            <ul className={classes["drawer"]}>{inNav.slice(SLOTS).map(item)}</ul>
          </MoreDrawer>
        </Suspense>
      )}
    </nav>
  );
}
