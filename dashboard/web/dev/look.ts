import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AxeBuilder } from "@axe-core/playwright";
import { type Browser, chromium, type Page } from "playwright-core";

/**
 * Takes pictures of pages in both themes at 1280 and 390 px, and reports what axe, the console and the security policy
 * have to say: `node dev/look.ts BASE OUT [/path …]`.
 */
const [base = "http://127.0.0.1:9400", out = "test-results/look", ...only] = process.argv.slice(2);
const paths = only.length > 0 ? only : ["/", "/alerts", "/alerts?view=table", "/silences", "/inbox", "/inbox/m-4"];
const SIZES = { wide: { width: 1280, height: 860 }, narrow: { width: 390, height: 844 } } as const;

await mkdir(out, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
  args: [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-US",
  ],
});
let findings = 0;
// QUICK=1: each theme and each width once, not each with each.
const looks =
  process.env["QUICK"] === undefined
    ? ["light wide", "light narrow", "dark wide", "dark narrow"]
    : ["light wide", "dark narrow"];
for (const path of paths)
  for (const each of looks) {
    const [theme, size] = each.split(" ") as ["light" | "dark", keyof typeof SIZES];
    findings += await look(browser, path, theme, size);
  }
await browser.close();
console.log(findings === 0 ? "nothing found" : `${findings} findings`);
process.exitCode = findings === 0 ? 0 : 1;

async function look(from: Browser, path: string, theme: "light" | "dark", size: keyof typeof SIZES): Promise<number> {
  const context = await from.newContext({
    viewport: SIZES[size],
    colorScheme: theme,
    locale: process.env["LOCALE"] ?? "en-US",
    timezoneId: "Europe/Berlin",
  });
  const page = await context.newPage();
  const found: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      found.push(`console: ${message.text().slice(0, 300)}`);
  });
  page.on("pageerror", (error) => found.push(`error: ${error.message}`));
  await page.goto(base + path);
  await page.waitForTimeout(1200);
  await page.screenshot({ path: join(out, `${nameOf(path)}-${theme}-${size}.png`) });
  found.push(...(await axe(page)), ...(await overflow(page)));
  for (const each of found) console.log(`${path} ${theme} ${size}: ${each}`);
  await context.close();
  return found.length;
}

async function axe(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page })
    // A sandboxed frame runs no script, so axe would wait for its answer for ever.
    .exclude("iframe")
    .setLegacyMode(true)
    .withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
    .analyze();
  return violations.map(
    ({ id, help, nodes }) =>
      `axe ${id}: ${help}: ${nodes
        .slice(0, 3)
        .map((node) => `${node.target.join(" ")} ${node.failureSummary?.split("\n")[1] ?? ""}`)
        .join(" | ")}`,
  );
}

async function overflow(page: Page): Promise<string[]> {
  const wide = await page.evaluate(() => {
    const main = document.querySelector("main");
    return main !== null && main.scrollWidth > main.clientWidth + 1;
  });
  return wide ? ["the page scrolls sideways"] : [];
}

function nameOf(path: string): string {
  return path.replace(/[^\w]+/g, "_").replace(/^_|_$/g, "") || "now";
}
