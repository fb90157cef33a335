import { afterAll, beforeAll, expect, test } from "vitest";
import type { Browser } from "playwright-core";
import { eventually, startTocsin, type TocsinProcess } from "@tocsin/testing";
import type { DrillRun, InboxDetail, InboxPage } from "@tocsin/model";
import { launchBrowser, openPage, shoot, WIDE } from "../support/browser.ts";

let tocsin: TocsinProcess;
let browser: Browser;

beforeAll(async () => {
  [tocsin, browser] = await Promise.all([startTocsin(), launchBrowser()]);
});

afterAll(async () => {
  await browser?.close();
  await tocsin?.stop();
});

test("one press breaks the SMS service, and the mail, the webhook, the trace and the logs are there to read", async () => {
  await eventually("all three services report", 30_000, async () => {
    const { data } = await tocsin.get<{ data: { result: unknown[] } }>(
      `/api/v1/query?query=${encodeURIComponent('up{job=~"api|sms|rate-limiter"} == 1')}`,
    );
    return data.result.length === 3;
  });
  const { page, complaints } = await openPage(browser, { viewport: WIDE, colorScheme: "light" });
  await page.goto(`${tocsin.address("dashboard")}/`);
  await page.getByRole("button", { name: "Break SMS provider outage", exact: true }).click();

  const sent = await eventually("the messages are sent", 60_000, async () => {
    const run = await tocsin.get<DrillRun>("/api/tocsin/v1/drills/sms-outage");
    return run.state === "sent" && run;
  });
  const elapsed = Object.fromEntries(sent.steps.map((step) => [step.name, step.elapsedMs]));
  console.log("break:", elapsed);
  expect(elapsed["sent"]).toBeLessThanOrEqual(45_000);
  await shoot(page, "now-broken-light");

  const inbox = await tocsin.get<InboxPage>("/api/tocsin/v1/inbox");
  const mail = inbox.items.find((item) => item.kind === "email" && item.subject.includes("SmsDeliveryFailing"));
  expect(mail?.subject).toMatch(/^\[FIRING:\d+\]/);
  const webhook = inbox.items.find((item) => item.kind === "webhook" && item.body.includes("SmsDeliveryFailing"));
  expect(JSON.parse(webhook?.body ?? "{}")).toMatchObject({ version: "4", status: "firing", receiver: "on-call" });
  const detail = await tocsin.get<InboxDetail>(`/api/tocsin/v1/inbox/${mail?.id}`);
  expect(detail.html).toContain("SmsDeliveryFailing");

  await page.goto(`${tocsin.address("dashboard")}/inbox/${mail?.id}`);
  await page
    .getByRole("heading", { name: /SmsDeliveryFailing/ })
    .first()
    .waitFor();
  await shoot(page, "inbox-mail-light");

  await page.goto(`${tocsin.address("dashboard")}/logs?q=${encodeURIComponent("service:sms severity:error")}`);
  await page
    .getByText(/provider/i)
    .first()
    .waitFor();
  await shoot(page, "logs-light");
  const logs = await tocsin.get<{ items: { traceId: string }[] }>(
    `/api/tocsin/v1/logs?q=${encodeURIComponent("service:sms severity:error")}&limit=5`,
  );
  const traceId = logs.items.find((item) => item.traceId !== "")?.traceId;
  await page.goto(`${tocsin.address("dashboard")}/trace/${traceId}`);
  await page.getByText("sms", { exact: true }).first().waitFor();
  await shoot(page, "trace-light");

  await page.goto(`${tocsin.address("dashboard")}/`);
  await page.getByRole("button", { name: "Unbreak SMS provider outage", exact: true }).click();
  const done = await eventually("the resolved messages arrive", 75_000, async () => {
    const run = await tocsin.get<DrillRun>("/api/tocsin/v1/drills/sms-outage");
    return run.state === "done" && run;
  });
  const resolved = done.steps.find((step) => step.name === "resolved")?.elapsedMs;
  console.log("unbreak:", resolved);
  expect(resolved).toBeLessThanOrEqual(60_000);
  expect(complaints).toEqual([]);
});
