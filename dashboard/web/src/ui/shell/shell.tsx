import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { Outlet, useLocation, useMatches } from "react-router";
import { conditionOf, isWatchdog, useAlerts } from "../../api/alertmanager.ts";
import { useEvents } from "../../api/events.ts";
import { useKeyboard, useShortcuts } from "../../keys/use-shortcuts.ts";
import { type Page, pages } from "../../pages.ts";
import { useGo } from "../../url/use-search.ts";
import { BottomNav } from "./bottom-nav.tsx";
import { Rail } from "./rail.tsx";
import { CrumbContext } from "./crumb.ts";
import classes from "./shell.module.css";
import { TopBar } from "./top-bar.tsx";

// Overlays are the heavier half of the shell, and nobody needs them for the first paint.
const ShortcutSheet = lazy(() =>
  import("./shortcut-sheet.tsx").then(({ ShortcutSheet: Component }) => ({ default: Component })),
);

const RAIL_KEY = "tocsin.rail";

/** What stands around every page: rail or bottom bar, top bar, keyboard, live updates, the count in the tab's title. */
export function Shell() {
  const { t } = useTranslation();
  const [sheetOpen, setSheetOpen] = useState(false);
  const [narrow, setNarrow] = useState(() => localStorage.getItem(RAIL_KEY) === "narrow");
  const [crumb, setCrumb] = useState<string>();
  const page = useCurrentPage();
  const connected = useEvents();
  const firing = useFiringCount();
  const main = useRef<HTMLElement>(null);
  useKeyboard();
  useGlobalShortcuts(() => setSheetOpen(true));
  useTitle(page, crumb, firing);
  useFocusOnNavigation(main);
  const toggleRail = () => {
    localStorage.setItem(RAIL_KEY, narrow ? "wide" : "narrow");
    setNarrow(!narrow);
  };
  return (
    <div className={classes["shell"]} data-rail={narrow ? "narrow" : "wide"}>
      <a className={classes["skip"]} href="#page">
        {t("app.skip")}
      </a>
      <Rail narrow={narrow} onToggle={toggleRail} firing={firing} />
      <TopBar page={page} crumb={crumb} connected={connected} onShowKeys={() => setSheetOpen(true)} />
      <main id="page" ref={main} tabIndex={-1} className={classes["page"]}>
        <CrumbContext value={setCrumb}>
          <Outlet />
        </CrumbContext>
      </main>
      <BottomNav firing={firing} />
      {sheetOpen && (
        <Suspense>
          <ShortcutSheet onClose={() => setSheetOpen(false)} />
        </Suspense>
      )}
    </div>
  );
}

/** The row of pages.ts that is shown; undefined for an address that leads nowhere. */
function useCurrentPage(): Page | undefined {
  const matches = useMatches();
  const { pathname } = useLocation();
  const params = matches.at(-1)?.params ?? {};
  return pages.find((page) => fill(page.path, params) === pathname.replace(/(.)\/$/, "$1"));
}

function fill(path: string, params: Record<string, string | undefined>): string {
  return path.replace(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ""));
}

function useFiringCount(): number {
  const { data = [] } = useAlerts();
  return data.filter((alert) => conditionOf(alert) === "active" && !isWatchdog(alert)).length;
}

function useGlobalShortcuts(showKeys: () => void): void {
  const go = useGo();
  useShortcuts([
    ...pages.flatMap(({ path, label, nav }) =>
      nav === undefined ? [] : [{ keys: `g ${nav.key}`, label, scope: "goTo" as const, run: () => go(path) }],
    ),
    { keys: "?", label: "keys.help", scope: "everywhere", run: showKeys },
    {
      keys: "/",
      label: "keys.search",
      scope: "everywhere",
      run: () => {
        const field = document.querySelector<HTMLElement>("[data-search]");
        field?.focus();
        return field !== null;
      },
    },
  ]);
}

function useTitle(page: Page | undefined, crumb: string | undefined, firing: number): void {
  const { t } = useTranslation();
  const name = crumb ?? (page === undefined ? t("app.notFound") : t(page.label));
  useEffect(() => {
    document.title = firing > 0 ? t("app.titleFiring", { count: firing, page: name }) : t("app.title", { page: name });
  }, [t, name, firing]);
}

/** A new page starts at its top, with the focus in it, so that screen readers and the keyboard go on from there. */
function useFocusOnNavigation(main: React.RefObject<HTMLElement | null>): void {
  const { pathname } = useLocation();
  const before = useRef(pathname);
  useEffect(() => {
    if (before.current === pathname) return;
    before.current = pathname;
    main.current?.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, [pathname, main]);
}
