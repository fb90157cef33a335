import {
  IconActivity,
  IconBell,
  IconChartLine,
  IconHierarchy2,
  IconHome,
  IconInbox,
  IconListDetails,
  IconPlugConnected,
} from "@tabler/icons-react";
import type { ParseKeys } from "i18next";
import type { ComponentType } from "react";

export interface Page {
  /** As react-router writes it. */
  path: string;
  label: ParseKeys;
  /** In the rail when it has an icon; `g` and this key go there. */
  nav?: { icon: ComponentType<{ size?: number; stroke?: number }>; key: string };
  /** The page one comes from, for the breadcrumb. */
  parent?: string;
  /** Whether the page shows a stretch of time, and so has the range in its head. */
  ranged: boolean;
  load: () => Promise<{ Component: ComponentType }>;
}

/** Every page of the dashboard, in the order of the rail. A new page is a folder in `pages/` and a row here. */
export const pages: readonly Page[] = [
  {
    path: "/",
    label: "nav.now",
    nav: { icon: IconHome, key: "h" },
    ranged: true,
    load: () => import("./pages/now/now-page.tsx"),
  },
  {
    path: "/alerts",
    label: "nav.alerts",
    nav: { icon: IconBell, key: "a" },
    ranged: false,
    load: () => import("./pages/alerts/alerts-page.tsx"),
  },
  {
    path: "/alerts/:fingerprint",
    label: "nav.alerts",
    parent: "/alerts",
    ranged: true,
    load: () => import("./pages/alert/alert-page.tsx"),
  },
  {
    path: "/silences",
    label: "nav.silences",
    parent: "/alerts",
    ranged: false,
    load: () => import("./pages/silences/silences-page.tsx"),
  },
  {
    path: "/inbox",
    label: "nav.inbox",
    nav: { icon: IconInbox, key: "i" },
    ranged: false,
    load: () => import("./pages/inbox/inbox-page.tsx"),
  },
  {
    path: "/inbox/:id",
    label: "nav.inbox",
    parent: "/inbox",
    ranged: false,
    load: () => import("./pages/inbox/inbox-page.tsx"),
  },
];
