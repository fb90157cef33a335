import {
  IconBell,
  IconChartLine,
  IconHierarchy2,
  IconHome,
  IconInbox,
  IconListDetails,
  IconPlugConnected,
  IconTimeline,
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
    path: "/logs",
    label: "nav.logs",
    nav: { icon: IconListDetails, key: "l" },
    ranged: true,
    load: () => import("./pages/logs/logs-page.tsx"),
  },
  {
    path: "/traces",
    label: "nav.traces",
    nav: { icon: IconTimeline, key: "t" },
    ranged: true,
    load: () => import("./pages/traces/traces-page.tsx"),
  },
  {
    path: "/trace/:traceId",
    label: "nav.traces",
    parent: "/traces",
    ranged: false,
    load: () => import("./pages/trace/trace-page.tsx"),
  },
  {
    path: "/metrics",
    label: "nav.metrics",
    nav: { icon: IconChartLine, key: "m" },
    ranged: true,
    load: () => import("./pages/metrics/metrics-page.tsx"),
  },
  {
    path: "/services",
    label: "nav.services",
    nav: { icon: IconHierarchy2, key: "s" },
    ranged: true,
    load: () => import("./pages/services/services-page.tsx"),
  },
  {
    path: "/services/:name",
    label: "nav.services",
    parent: "/services",
    ranged: true,
    load: () => import("./pages/service/service-page.tsx"),
  },
  {
    path: "/map",
    label: "nav.map",
    parent: "/services",
    ranged: true,
    load: () => import("./pages/services/services-page.tsx"),
  },
  {
    path: "/pipeline",
    label: "nav.pipeline",
    nav: { icon: IconPlugConnected, key: "p" },
    ranged: false,
    load: () => import("./pages/pipeline/pipeline-page.tsx"),
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
