import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Dashboard, Panel } from "@grafana/grafana-foundation-sdk/dashboard";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { renderBoards } from "./render.ts";

const ROOT = join(import.meta.dirname, "..");
const rendered = renderBoards();
const dashboards = [...rendered].map(([file, text]) => ({ file, dashboard: JSON.parse(text) as Dashboard }));

test("dashboards/ holds what the boards generate; `npm run grafana` brings it up to date", () => {
  const files = readdirSync(join(ROOT, "dashboards")).filter((name) => name.endsWith(".json"));
  const checkedIn = new Map(files.map((name) => [name, readFileSync(join(ROOT, "dashboards", name), "utf8")]));
  expect(checkedIn).toEqual(rendered);
});

test("uids stay as they are, since bookmarks and links use them", () => {
  expect(dashboards.map(({ dashboard }) => dashboard.uid)).toEqual([
    "tocsin-overview",
    "tocsin-service",
    "tocsin-node",
    "tocsin-sms",
    "tocsin-rate-limiter",
    "tocsin-pipeline",
    "tocsin-alerting",
    "tocsin-slo",
  ]);
});

describe.each(dashboards)("$file", ({ dashboard }) => {
  const panels = (dashboard.panels ?? []) as Panel[];

  test("has panels with a title, a number of their own and a place in 24 columns", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { title, gridPos } of panels) {
      expect(title).toMatch(/\S/);
      expect(gridPos).toBeDefined();
      expect((gridPos?.x ?? 0) + (gridPos?.w ?? 25)).toBeLessThanOrEqual(24);
    }
  });

  test("panels do not lie on one another", () => {
    const cells = panels.flatMap(({ gridPos, title }) =>
      gridPos === undefined
        ? []
        : Array.from({ length: gridPos.w * gridPos.h }, (_, i) => ({
            title,
            cell: `${gridPos.x + (i % gridPos.w)},${gridPos.y + Math.floor(i / gridPos.w)}`,
          })),
    );
    const taken = new Map<string, string | undefined>();
    for (const { title, cell } of cells) {
      expect(taken.get(cell), `${title} lies on another panel at ${cell}`).toBeUndefined();
      taken.set(cell, title);
    }
  });

  test("asks only the Prometheus that is chosen in its head", () => {
    const asked = panels.flatMap(({ targets }) => targets ?? []).map((target) => target as { datasource?: object });
    for (const { datasource } of asked) expect(datasource).toEqual({ type: "prometheus", uid: "${datasource}" });
  });

  test("leads to Tocsin with the range that it shows", () => {
    const [first] = dashboard.links ?? [];
    expect(first).toMatchObject({ title: "Tocsin", type: "link" });
    expect(first?.url).toMatch(/^\$\{tocsin\}\/.*[?&]from=\$\{__from:date:iso\}&to=\$\{__to:date:iso\}$/);
  });

  test("knows every variable that it uses", () => {
    const known = new Set((dashboard.templating?.list ?? []).map(({ name }) => name));
    const used = [...JSON.stringify(dashboard).matchAll(/\$\{?(?!_)([a-z][a-z_]*)/g)].map(([, name]) => name);
    expect(used.filter((name) => !known.has(name ?? ""))).toEqual([]);
  });
});

describe("provisioning", () => {
  const read = (path: string) => parse(readFileSync(join(ROOT, "provisioning", path), "utf8")) as never;

  test("datasources have uids of their own, and name only variables that the compose file sets", () => {
    const { datasources } = read("datasources/tocsin.yaml") as { datasources: { uid: string; type: string }[] };
    expect(datasources.map(({ uid, type }) => [uid, type])).toEqual([
      ["tocsin-prometheus", "prometheus"],
      ["tocsin-logs", "elasticsearch"],
      ["tocsin-spans", "elasticsearch"],
      ["tocsin-alertmanager", "alertmanager"],
    ]);
    const used = [...JSON.stringify(datasources).matchAll(/(?<!\$)\$\{(\w+)\}/g)].map(([, name]) => name);
    expect([...new Set(used)].sort()).toEqual([
      "ALERTMANAGER_URL",
      "ELASTICSEARCH_PASSWORD",
      "ELASTICSEARCH_URL",
      "ELASTICSEARCH_USERNAME",
      "PROMETHEUS_URL",
      "TOCSIN_URL",
    ]);
  });

  test("boards come from the folder that the compose file mounts", () => {
    const { providers } = read("dashboards/tocsin.yaml") as { providers: { folderUid: string; options: object }[] };
    expect(providers).toMatchObject([{ folderUid: "tocsin", options: { path: "/etc/tocsin/dashboards" } }]);
  });
});
