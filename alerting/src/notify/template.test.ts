import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { flushed, notification, templates } from "../../test/notifier.ts";
import { START } from "../../test/scene.ts";
import type { Templates } from "./template.ts";

const alerts = [
  flushed(
    { sev: "page", alertname: "High", zone: "b" },
    { annotations: { summary: "x < y", desc: "d" }, generatorURL: "http://p/g?a=b&c", fingerprint: "abc" },
  ),
  flushed({ alertname: "High", sev: "page" }, { endsAt: START + 60_000 }),
];

const render = (template: string, overrides = {}, set: Templates = templates()) =>
  set.text(template, set.data(notification({ receiver: "team.a", alerts, routeLabels: { tier: "1" }, ...overrides })));

describe("data", () => {
  test.each([
    ["{{ .Receiver }}", "team\\.a"],
    ["{{ .Status }}", "firing"],
    ["{{ .NotificationReason }}", "first notification"],
    ["{{ len .Alerts }} {{ len .Alerts.Firing }} {{ len .Alerts.Resolved }}", "2 1 1"],
    ["{{ .GroupLabels.alertname }}{{ .GroupLabels.nope }}", "High"],
    ["{{ .CommonLabels.sev }} {{ len .CommonAnnotations }}", "page 0"],
    ['{{ .RouteLabels.tier }}{{ routeLabels "tier" }}', "11"],
    ["{{ .ExternalURL }}", "http://am.example"],
    ["{{ (index .Alerts 0).Fingerprint }} {{ (index .Alerts 0).GeneratorURL }}", "abc http://p/g?a=b&c"],
    [
      '{{ range .Alerts }}{{ .Status }} {{ .StartsAt.Format "15:04" }} {{ .EndsAt.IsZero }};{{ end }}',
      "firing 12:00 true;resolved 12:00 false;",
    ],
    [
      "{{ with index .Alerts 0 }}{{ range .Labels.SortedPairs }}{{ .Name }}={{ .Value }} {{ end }}{{ end }}",
      "alertname=High sev=page zone=b ",
    ],
    ['{{ .CommonLabels.Names.Join "+" }} {{ .CommonLabels.Values | join "+" }}', "alertname+sev High+page"],
    ['{{ (.CommonLabels.Remove .GroupLabels.Names).Values.Join "," }}', "page"],
    ["{{ .CommonLabels }}", "alertname=High, sev=page"],
    ["{{ .CommonLabels.SortedPairs }}", "alertname=High, sev=page"],
  ])("%s", (template, expected) => expect(render(template)).toBe(expected));
});

describe("functions", () => {
  test.each([
    ['{{ "ab" | toUpper }}{{ "AB" | toLower }}{{ title "a b" }}', "ABabA B"],
    ['{{ trimSpace " x\\n" }}|', "x|"],
    ['{{ join "," (stringSlice "a" "b") }}', "a,b"],
    ['{{ match "^a.c" "abcd" }}{{ reReplaceAll "(b)" "[$1]" "abc" }}', "truea[b]c"],
    ['{{ urlUnescape "a%20b+c" }}', "a b c"],
    ['{{ date "2006-01-02" (index .Alerts 0).StartsAt }}', "2026-11-21"],
    ['{{ (tz "Europe/Berlin" (index .Alerts 0).StartsAt).Format "15:04 MST" }}', "13:00 CET"],
    ["{{ since (index .Alerts 0).StartsAt }}", "1m0s"],
    ['{{ now.Format "15:04" }}', "12:01"],
    ["{{ humanizeDuration 3725 }}", "1h 2m 5s"],
    ['{{ (toDate "2006-01-02" "2026-02-03").Format "02.01." }}{{ (toDate "2006" "x").IsZero }}', "03.02.true"],
    ['{{ toJson (dict "b" 1 "a" (list "<" true nil)) }}', '{"a":["\\u003c",true,null],"b":1}'],
    [
      "{{ toJson .GroupLabels }}{{ (index .Alerts 1).Labels | toJson }}",
      '{"alertname":"High"}{"alertname":"High","sev":"page"}',
    ],
    ['{{ base64encode "a?>" }} {{ base64decode "YT8-" }}', "YT8- a?>"],
    ["{{ len (append (list 1) 2 3) }}", "3"],
  ])("%s", (template, expected) => expect(render(template)).toBe(expected));

  test.each(['{{ mustToDate "2006" "x" }}', '{{ dict "a" }}', "{{ nonsense }}", '{{ base64decode "***" }}'])(
    "%s fails",
    (template) => {
      expect(() => render(template)).toThrow();
    },
  );
});

describe("built-in templates print what Alertmanager's do", () => {
  test.each([
    ["__subject", "[FIRING:1] High (page)"],
    ["email.default.subject", "[FIRING:1] High (page)"],
    ["__alertmanager", "Alertmanager"],
    ["__alertmanagerURL", "http://am.example/#/alerts?receiver=team%5C.a"],
    ["__description", ""],
  ])("%s", (name, expected) => expect(render(`{{ template "${name}" . }}`)).toBe(expected));

  test("__subject without other common labels, and resolved", () => {
    const resolved = { alerts: [flushed({ alertname: "High" }, { endsAt: START + 1 })] };
    expect(render('{{ template "__subject" . }}', resolved)).toBe("[RESOLVED] High ");
  });

  test("__text_alert_list", () => {
    expect(render('{{ template "__text_alert_list" .Alerts }}')).toBe(
      "Labels:\n - alertname = High\n - sev = page\n - zone = b\nAnnotations:\n - desc = d\n - summary = x < y\nSource: http://p/g?a=b&c\n" +
        "Labels:\n - alertname = High\n - sev = page\nAnnotations:\nSource: \n",
    );
  });
});

describe("users' files", () => {
  const withFile = (content: string, run: (file: string) => void) => {
    const directory = mkdtempSync(join(tmpdir(), "tocsin-templates-"));
    const file = join(directory, "own.tmpl");
    writeFileSync(file, content);
    try {
      run(file);
    } finally {
      rmSync(directory, { recursive: true });
    }
  };

  test("may define the built-in templates anew, for text and HTML", () => {
    withFile(
      '{{ define "__subject" }}mine: {{ .Status }}{{ end }}{{ define "email.default.html" }}<b>{{ .Receiver }}</b>{{ end }}',
      (file) => {
        const set = templates([file]);
        expect(render('{{ template "email.default.subject" . }}', {}, set)).toBe("mine: firing");
        expect(set.html('{{ template "email.default.html" . }}', set.data(notification({ receiver: "<x>" })))).toBe(
          "<b>&lt;x&gt;</b>",
        );
      },
    );
  });

  test("a mistake in one is said with its place", () => {
    withFile("line one\n{{ if }}", (file) => {
      expect(() => templates([file])).toThrow(`${file}:2:1: `);
    });
  });
});

describe("route labels", () => {
  const labelsOf = (labels: Record<string, string>) => {
    const set = templates();
    return set.routeLabels(labels, { ...set.data(notification({ alerts })), reason: "" });
  };
  test("are templates over the group's data, and may refer to one another", () => {
    expect(
      labelsOf({
        a: "{{ .CommonLabels.sev }}",
        b: '{{ routeLabels "a" }}!',
        c: "plain",
        r: "{{ .NotificationReason }}",
      }),
    ).toEqual({
      a: "page",
      b: "page!",
      c: "plain",
      r: "",
    });
  });
  test("a circle gives an error for those labels only", () => {
    const labels = labelsOf({ a: '{{ routeLabels "b" }}', b: '{{ routeLabels "a" }}', c: "ok" });
    expect(labels["c"]).toBe("ok");
    expect(labels["a"]).toContain("refers to itself");
    expect(labels["b"]).toContain("error");
  });
});
