import { ActionIcon, Menu, Tooltip } from "@mantine/core";
import { useMantineColorScheme } from "@mantine/core";
import { IconPlayerPause, IconPlayerPlay, IconRefresh, IconSettings } from "@tabler/icons-react";
import { useIsFetching, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Link, useParams } from "react-router";
import { LANGUAGES, setLanguage } from "../../i18n/index.ts";
import { useShortcuts } from "../../keys/use-shortcuts.ts";
import { type Page, pages } from "../../pages.ts";
import { localZone, useLive, useZone } from "../../url/use-range.ts";
import { useLink } from "../../url/use-search.ts";
import { RangePicker } from "./range-picker.tsx";
import classes from "./top-bar.module.css";

/** Where one is, which stretch of time is shown, and how: the sticky head of every page. */
export function TopBar({
  page,
  crumb,
  connected,
  onShowKeys,
}: {
  page: Page | undefined;
  /** What the thing is called that the page is about. */
  crumb: string | undefined;
  connected: boolean;
  onShowKeys: () => void;
}) {
  return (
    <header className={classes["bar"]}>
      <Breadcrumb page={page} crumb={crumb} />
      <div className={classes["tools"]}>
        {page?.ranged === true && <RangePicker />}
        <LiveControl connected={connected} />
        <SettingsMenu onShowKeys={onShowKeys} />
      </div>
    </header>
  );
}

function Breadcrumb({ page, crumb }: { page: Page | undefined; crumb: string | undefined }) {
  const { t } = useTranslation();
  const link = useLink();
  const params = useParams();
  const parent = pages.find(({ path }) => path === page?.parent);
  const detail = crumb ?? Object.values(params)[0];
  const title = page === undefined ? t("app.notFound") : parent?.label === page.label ? detail : t(page.label);
  return (
    <nav className={classes["crumbs"]} aria-label={t("nav.breadcrumb")}>
      {parent !== undefined && (
        <>
          <Link to={link(parent.path)}>{t(parent.label)}</Link>
          <span aria-hidden="true">/</span>
        </>
      )}
      <h1 className="ellipsis" title={title}>
        {title}
      </h1>
    </nav>
  );
}

function LiveControl({ connected }: { connected: boolean }) {
  const { t } = useTranslation();
  const { live, setLive } = useLive();
  const client = useQueryClient();
  const fetching = useIsFetching() > 0;
  useShortcuts([{ keys: "p", label: "keys.live", scope: "everywhere", run: () => setLive(!live) }]);
  return (
    <div className={classes["live"]}>
      <Tooltip label={connected ? t("live.connected") : t("live.disconnected")}>
        <button
          type="button"
          className={classes["liveButton"]}
          data-state={live ? (connected ? "on" : "polling") : "off"}
          aria-pressed={live}
          aria-label={live ? t("live.pause") : t("live.resume")}
          onClick={() => setLive(!live)}
        >
          {live ? <IconPlayerPause size={14} aria-hidden /> : <IconPlayerPlay size={14} aria-hidden />}
          <span className={classes["wide"]}>{live ? t("live.on") : t("live.off")}</span>
        </button>
      </Tooltip>
      <ActionIcon
        variant="default"
        size={30}
        className={classes["wide"] ?? ""}
        aria-label={t("live.refresh")}
        onClick={() => void client.invalidateQueries()}
      >
        <IconRefresh size={16} stroke={1.6} aria-hidden data-fetching={fetching} />
      </ActionIcon>
    </div>
  );
}

function SettingsMenu({ onShowKeys }: { onShowKeys: () => void }) {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { zone, setZone } = useZone();
  const local = localZone();
  return (
    <Menu position="bottom-end" width={220} transitionProps={{ duration: 80 }}>
      <Menu.Target>
        <ActionIcon variant="default" size={30} aria-label={t("settings.open")}>
          <IconSettings size={16} stroke={1.6} aria-hidden />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("settings.theme")}</Menu.Label>
        {(["light", "dark", "auto"] as const).map((each) => (
          <Choice key={each} chosen={colorScheme === each} onClick={() => setColorScheme(each)}>
            {t(`settings.${each}`)}
          </Choice>
        ))}
        <Menu.Label>{t("settings.language")}</Menu.Label>
        {LANGUAGES.map(({ code, name }) => (
          <Choice key={code} chosen={i18n.language === code} onClick={() => void setLanguage(code)}>
            <span lang={code}>{name}</span>
          </Choice>
        ))}
        <Menu.Label>{t("settings.zone")}</Menu.Label>
        <Choice chosen={zone === local} onClick={() => setZone(undefined)}>
          {t("settings.zoneLocal", { zone: local })}
        </Choice>
        {local !== "UTC" && (
          <Choice chosen={zone === "UTC"} onClick={() => setZone("UTC")}>
            {t("settings.zoneUtc")}
          </Choice>
        )}
        <Menu.Divider />
        <Menu.Item onClick={onShowKeys} rightSection="?">
          {t("settings.shortcuts")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Choice({ chosen, onClick, children }: { chosen: boolean; onClick: () => void; children: React.ReactNode }) {
  return (
    <Menu.Item
      role="menuitemradio"
      aria-checked={chosen}
      closeMenuOnClick={false}
      onClick={onClick}
      leftSection={<span className={classes["tick"]}>{chosen ? "✓" : ""}</span>}
    >
      {children}
    </Menu.Item>
  );
}
