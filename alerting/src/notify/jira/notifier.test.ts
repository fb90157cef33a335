import { describe, expect, test } from "vitest";
import { httpNotifierContract } from "../../../test/http-contract.ts";
import { flushed, notifierOf } from "../../../test/notifier.ts";
import { START } from "../../../test/scene.ts";
import { sinkScene } from "../../../test/sink-scene.ts";

const jira = (url: string, keys = "") =>
  notifierOf(
    `jira_configs: [{api_url: '${url}/rest/api/2', project: OPS, issue_type: Bug, http_config: {basic_auth: {username: u, password: jira-token-1}}, ${keys}}]`,
  );
const LABEL = "ALERT{f3d6947c9c15e6b3a6ec260804b8d597eb27cad181cfeb7ae7dfa22cc537fc3e}";

httpNotifierContract("jira", (url) => jira(url), {
  accepts: { body: '{"issues":[]}', type: "application/json" },
  alsoRetried: [429],
  exceptions: { 204: "failed" },
  noAnswerIs: "failed",
  secrets: ["jira-token-1", Buffer.from("u:jira-token-1").toString("base64")],
});

const scene = sinkScene();
/** A Jira that has this issue, or none. */
function having(category?: string): void {
  scene.sink.answer = (response, { path, method }) => {
    const issue = { key: "OPS-1", fields: { status: { name: "s", statusCategory: { key: category } } } };
    if (path.includes("/search")) response.end(JSON.stringify({ issues: category === undefined ? [] : [issue] }));
    else if (path.endsWith("/transitions") && method === "GET")
      response.end(
        JSON.stringify({
          transitions: [
            { id: "11", name: "Reopen" },
            { id: "31", name: "Done" },
          ],
        }),
      );
    else response.writeHead(method === "POST" ? 201 : 204).end();
  };
}
const asked = () => scene.sink.received.map(({ method, path }) => `${method} ${path}`);
const body = (i: number) => JSON.parse(scene.sink.received[i]?.body ?? "") as Record<string, unknown>;
const ended = { alerts: [flushed({ alertname: "High", severity: "critical" }, { endsAt: START + 1 })] };

describe("a group that fires", () => {
  test("without an issue gets one, with the label it is found by", async () => {
    having();
    await scene.notify(
      jira(
        scene.sink.url,
        "labels: [zeta, '{{ .Status }}'], fields: {customfield_1: '{{ len .Alerts }}', customfield_2: {value: x}}",
      ),
      {
        alerts: [flushed({ alertname: "High", severity: "critical" })],
      },
    );
    expect(asked()).toEqual(["POST /rest/api/2/search", "POST /rest/api/2/issue"]);
    expect(body(0)).toEqual({
      jql: `statusCategory != Done and project="OPS" and labels="${LABEL}" order by status ASC,resolutiondate DESC`,
      maxResults: 2,
      fields: ["status"],
    });
    expect(body(1)).toEqual({
      fields: {
        project: { key: "OPS" },
        issuetype: { name: "Bug" },
        summary: "[FIRING:1] High (critical)",
        description: expect.stringMatching(/^# Firing \(1\)\n/) as string,
        labels: [LABEL, "firing", "zeta"],
        priority: { name: "High" },
        customfield_1: 1,
        customfield_2: { value: "x" },
      },
    });
  });

  test("updates the open issue, but for what is not to be updated", async () => {
    having("indeterminate");
    await scene.notify(
      jira(scene.sink.url, "summary: {template: s, enable_update: false}, description: d, reopen_transition: Reopen"),
    );
    expect(asked()).toEqual(["POST /rest/api/2/search", "PUT /rest/api/2/issue/OPS-1"]);
    expect(body(1)).toMatchObject({ fields: { description: "d" } });
    expect(body(1)["fields"]).not.toHaveProperty("summary");
  });

  test("reopens an issue that was closed lately", async () => {
    having("done");
    await scene.notify(
      jira(
        scene.sink.url,
        "reopen_transition: Reopen, reopen_duration: 2h, wont_fix_resolution: Won't Do".replace(
          "Won't Do",
          '"Won\'t Do"',
        ),
      ),
    );
    expect(body(0)["jql"]).toBe(
      `(resolution is EMPTY or resolution != "Won't Do") and (resolutiondate is EMPTY OR resolutiondate >= -120m) and project="OPS" and labels="${LABEL}" order by status ASC,resolutiondate DESC`,
    );
    expect(asked().slice(2)).toEqual([
      "GET /rest/api/2/issue/OPS-1/transitions",
      "POST /rest/api/2/issue/OPS-1/transitions",
    ]);
    expect(body(3)).toEqual({ transition: { id: "11" } });
  });
});

describe("a group that has ended", () => {
  test("makes no issue", async () => {
    having();
    expect(await scene.notify(jira(scene.sink.url), ended)).toEqual({ status: "sent" });
    expect(asked()).toEqual(["POST /rest/api/2/search"]);
  });

  test("closes the open issue", async () => {
    having("new");
    await scene.notify(jira(scene.sink.url, "resolve_transition: Done"), ended);
    expect(body(3)).toEqual({ transition: { id: "31" } });
  });

  test("says when there is no such transition", async () => {
    having("new");
    expect(await scene.notify(jira(scene.sink.url, "resolve_transition: Close"), ended)).toMatchObject({
      status: "failed",
      error: 'issue OPS-1 has no transition "Close"',
    });
  });
});

test("cloud has another search than data center", async () => {
  having();
  await scene.notify(jira(scene.sink.url, "api_type: cloud"));
  await scene.notify(jira(scene.sink.url, "api_type: datacenter"));
  expect(asked().filter((it) => it.includes("search"))).toEqual([
    "POST /rest/api/3/search/jql",
    "POST /rest/api/2/search",
  ]);
});

test("for version 3 a description is a document in JSON, or refused", async () => {
  having();
  const v3 = (description: string) =>
    notifierOf(
      `jira_configs: [{api_url: '${scene.sink.url}/rest/api/3', project: OPS, issue_type: Bug, description: '${description}'}]`,
    );
  await scene.notify(v3('{"type":"doc","version":1,"content":[]}'));
  expect(body(1)).toMatchObject({ fields: { description: { type: "doc", version: 1, content: [] } } });
  expect(await scene.notify(v3("plain"))).toMatchObject({ status: "failed" });
});

test("a summary is cut at 255 characters, a description at 32767", async () => {
  having();
  await scene.notify(jira(scene.sink.url, `summary: '${"s".repeat(300)}', description: '${"d".repeat(32_800)}'`));
  expect(body(1)).toMatchObject({ fields: { summary: `${"s".repeat(254)}…`, description: `${"d".repeat(32_766)}…` } });
});

test.each([
  [["warning", "info"], "Medium"],
  [["info"], "Low"],
  [["info", "critical", "warning"], "High"],
])("severities %j make priority %s", async (severities, priority) => {
  having();
  await scene.notify(jira(scene.sink.url), {
    alerts: severities.map((severity) => flushed({ alertname: "High", severity })),
  });
  expect(body(1)).toMatchObject({ fields: { priority: { name: priority } } });
});

test.each([
  ["{project: x, issue_type: y}", "no api_url"],
  ["{api_url: 'http://x', issue_type: y}", "project"],
  ["{api_url: 'http://x', project: y}", "issue_type"],
  ["{api_url: 'http://x', project: y, issue_type: z, api_type: server}", "must be one of auto, cloud, datacenter"],
])("%s is refused", (block, message) => expect(() => notifierOf(`jira_configs: [${block}]`)).toThrow(message));
