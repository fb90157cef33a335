import { AxeBuilder } from "@axe-core/playwright";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser } from "playwright-core";
import { eventually, startTocsin, type TocsinProcess } from "@tocsin/testing";
import { launchBrowser, NARROW, openPage, shoot, WIDE } from "../support/browser.ts";

let tocsin: TocsinProcess;
let browser: Browser;

beforeAll(async () => {
  [tocsin, browser] = await Promise.all([startTocsin(), launchBrowser()]);
  await eventually("the services have calls between them", 60_000, async () => {
    const { edges } = await tocsin.get<{ edges: unknown[] }>("/api/tocsin/v1/services/graph?from=now-15m&to=now");
    return edges.length >= 3;
  });
  await eventually("the watchdog fires", 30_000, async () => {
    const alerts = await tocsin.get<unknown[]>("/api/v2/alerts");
    return alerts.length > 0;
  });
});

afterAll(async () => {
  await browser?.close();
  await tocsin?.stop();
});

const EXPR = encodeURIComponent("sum by (job) (rate(http_server_request_duration_seconds_count[30s]))");
const PAGES = [
  ["now", "/"],
  ["alerts", "/alerts"],
  ["silences", "/silences"],
  ["logs", "/logs"],
  ["traces", "/traces"],
  ["metrics", `/metrics?e=${EXPR}`],
  ["services", "/services"],
  ["map", "/map"],
  ["service", "/services/api"],
  ["inbox", "/inbox"],
  ["pipeline", "/pipeline"],
] as const;
const LOOKS = [
  { name: "light-1280", viewport: WIDE, colorScheme: "light" },
  { name: "dark-1280", viewport: WIDE, colorScheme: "dark" },
  { name: "light-390", viewport: NARROW, colorScheme: "light" },
  { name: "dark-390", viewport: NARROW, colorScheme: "dark" },
] as const;

test.each(LOOKS)("every page fits, reads and is accessible: $name", async ({ name, viewport, colorScheme }) => {
  const { page, complaints } = await openPage(browser, { viewport, colorScheme });
  const problems: string[] = [];
  for (const [title, path] of PAGES) {
    await page.goto(tocsin.address("dashboard") + path);
    await page.getByRole("main").waitFor();
    // What is still loading after this is a problem that the picture shows.
    await page.waitForTimeout(1500);
    await shoot(page, `${title}-${name}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (overflow > 0) problems.push(`${title}: ${overflow} px too wide`);
    const { violations } = await new AxeBuilder({ page })
      .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"])
      .analyze();
    problems.push(...violations.map(({ id, nodes }) => `${title}: ${id}: ${nodes[0]?.html.slice(0, 120)}`));
  }
  expect([...problems, ...complaints]).toEqual([]);
});

test("a browser gets the page at /metrics and a scraper the exposition", async () => {
  const exposition = await fetch(`${tocsin.address("dashboard")}/metrics`);
  expect(await exposition.text()).toContain("# TYPE tocsin_build_info gauge");
  const page = await fetch(`${tocsin.address("dashboard")}/metrics`, { headers: { accept: "text/html" } });
  expect(await page.text()).toContain("<!doctype html>");
});

test("a silence made in the dashboard mutes the alert, and expiring it brings it back", async () => {
  const { page } = await openPage(browser, { viewport: WIDE, colorScheme: "light" });
  const state = async () => {
    const alerts = await tocsin.get<{ labels: { alertname: string }; status: { state: string } }[]>("/api/v2/alerts");
    return alerts.find(({ labels }) => labels.alertname === "Watchdog")?.status.state;
  };
  expect(await state()).toBe("active");
  await page.goto(`${tocsin.address("dashboard")}/alerts`);
  await page.getByRole("button", { name: "Silence Watchdog", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Matches 1 alert now").waitFor();
  await dialog.getByLabel("Your name").fill("Mara");
  await dialog.getByLabel("Why").fill("looking into it");
  await shoot(page, "silence-dialog");
  await dialog.getByRole("button", { name: "Silence", exact: true }).click();
  await eventually("the alert is suppressed", 10_000, async () => (await state()) === "suppressed");
  await page.goto(`${tocsin.address("dashboard")}/silences`);
  await page.getByRole("button", { name: "Expire the silence looking into it" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Expire", exact: true }).click();
  await eventually("the alert is active again", 10_000, async () => (await state()) === "active");
});

test("the keyboard goes to every page and the sheet lists how", async () => {
  const { page } = await openPage(browser, { viewport: WIDE, colorScheme: "dark" });
  await page.goto(`${tocsin.address("dashboard")}/`);
  await page.getByRole("main").waitFor();
  for (const [key, path] of [
    ["a", "/alerts"],
    ["l", "/logs"],
    ["t", "/traces"],
    ["h", "/"],
  ] as const) {
    await page.keyboard.press("g");
    await page.keyboard.press(key);
    await page.waitForURL((url) => url.pathname === path);
  }
  await page.keyboard.press("?");
  await page.getByRole("dialog").waitFor();
});

test("a browser that asks for Chinese gets it", async () => {
  const { page } = await openPage(browser, { viewport: WIDE, colorScheme: "light", locale: "zh-CN" });
  await page.goto(`${tocsin.address("dashboard")}/`);
  await page.getByRole("link", { name: "告警" }).first().waitFor();
  await shoot(page, "now-zh");
});
