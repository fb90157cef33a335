import { IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand } from "@tabler/icons-react";
import { useTranslation } from "react-i18next";
import { NavLink } from "react-router";
import { pages } from "../../pages.ts";
import { useLink } from "../../url/use-search.ts";
import classes from "./rail.module.css";

/** The pages down the left side; icons alone when it is narrow. */
export function Rail({ narrow, onToggle, firing }: { narrow: boolean; onToggle: () => void; firing: number }) {
  const { t } = useTranslation();
  const link = useLink();
  return (
    <nav className={classes["rail"]} aria-label={t("nav.main")} data-narrow={narrow}>
      <NavLink to={link("/")} className={classes["brand"]} aria-label={t("app.name")}>
        <img src="/favicon.svg" alt="" width={22} height={22} />
        {!narrow && <span>{t("app.name")}</span>}
      </NavLink>
      <ul>
        {pages.map(({ path, label, nav }) => {
          if (nav === undefined) return null;
          const count = path === "/alerts" && firing > 0 ? firing : undefined;
          return (
            <li key={path}>
              <NavLink to={link(path)} end={path === "/"} title={narrow ? t(label) : undefined}>
                <nav.icon size={18} stroke={1.6} aria-hidden />
                <span className={narrow ? "visuallyHidden" : classes["label"]}>{t(label)}</span>
                {count !== undefined && <span className={classes["count"]}>{count}</span>}
              </NavLink>
            </li>
          );
        })}
      </ul>
      <button type="button" onClick={onToggle} aria-label={narrow ? t("nav.expand") : t("nav.collapse")}>
        {narrow ? (
          <IconLayoutSidebarLeftExpand size={18} stroke={1.6} aria-hidden />
        ) : (
          <IconLayoutSidebarLeftCollapse size={18} stroke={1.6} aria-hidden />
        )}
      </button>
    </nav>
  );
}
