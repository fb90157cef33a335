import { expect, test } from "vitest";
import { parseExpr } from "@tocsin/promql";
import type { QueryAnswer } from "../query-source.ts";
import type { AlertingRule } from "./rule-file.ts";
import { RuleTemplates, templateProblem } from "./rule-templates.ts";

const rule = (labels: Record<string, string>, annotations: Record<string, string>): AlertingRule => ({
  kind: "alerting",
  name: "High",
  expr: parseExpr("up"),
  query: "up",
  forMs: 0,
  keepFiringForMs: 0,
  labels,
  annotations,
});

const vector = (...values: [string, number][]): QueryAnswer => ({
  type: "vector",
  samples: values.map(([job, value]) => ({ labels: { job }, value, timestampMs: 0 })),
});

async function annotation(
  text: string,
  value = 0.25,
  query: (expr: string) => Promise<QueryAnswer> = async () => vector(),
): Promise<string> {
  const templates = new RuleTemplates(rule({}, { text }));
  const result = await templates.expand(
    { labels: { __name__: "up", job: "api" }, value, timestampMs: 0 },
    { atMs: 1_449_937_280_700, externalLabels: { region: "eu" }, externalUrl: "http://host/prom", query },
  );
  return result.annotations["text"] ?? "";
}

test("labels are the sample's without its name, then the rule's expanded ones, then alertname", async () => {
  const templates = new RuleTemplates(rule({ job: "", who: "{{ $labels.job }}", severity: "page" }, {}));
  const context = { atMs: 0, externalLabels: {}, externalUrl: "", query: async () => vector() };
  const { labels } = await templates.expand(
    { labels: { __name__: "up", job: "api", zone: "a" }, value: 1, timestampMs: 0 },
    context,
  );
  expect(labels).toEqual({ zone: "a", who: "api", severity: "page", alertname: "High" });
});

test.each([
  ["{{ $labels.__name__ }}|{{ $labels.nope }}|{{ .Labels.job }}", "up||api"],
  ["{{ $value }} {{ .Value }}", "0.25 0.25"],
  [
    "{{ $externalLabels.region }} {{ $externalURL }} {{ externalURL }} {{ pathPrefix }}",
    "eu http://host/prom http://host/prom /prom",
  ],
  [
    "{{ $value | humanizePercentage }} {{ humanize 1234567.0 }} {{ humanize 0.00042 }} {{ humanize1024 1048576.0 }}",
    "25% 1.235M 420u 1Mi",
  ],
  [
    "{{ humanizeDuration 93784 }} {{ humanizeDuration 61.5 }} {{ humanizeDuration 59.123 }} {{ humanizeDuration 0.0012 }} {{ humanizeDuration -3600 }} {{ humanizeDuration 0 }}",
    "1d 2h 3m 4s 1m 1s 59.12s 1.2ms -1h 0m 0s 0s",
  ],
  ["{{ humanizeTimestamp 1449937280.7 }}", "2015-12-12 16:21:20.7 +0000 UTC"],
  [
    '{{ (toTime 0).Format "2006-01-02" }} {{ toDuration 90 }} {{ now | humanizeTimestamp }}',
    "1970-01-01 1m30s 2015-12-12 16:21:20.7 +0000 UTC",
  ],
  ['{{ title "ab cD don\'t" }} {{ toUpper "ab" }} {{ toLower "AB" }}', "Ab CD Don't AB ab"],
  ['{{ match "a.c" "xabcx" }} {{ reReplaceAll "(.*):.*" "$1" "host:9100" }}', "true host"],
  [
    '{{ stripPort "host:9100" }} {{ stripPort "host" }} {{ stripDomain "a.b.c:80" }} {{ stripDomain "10.0.0.1:80" }} {{ stripDomain "[::1]:80" }}',
    "host host a:80 10.0.0.1:80 [::1]:80",
  ],
  [
    '{{ graphLink "up > 1" }} {{ tableLink "up" }} {{ urlQueryEscape "a b&c" }}',
    "/graph?g0.expr=up+%3E+1&g0.tab=0 /graph?g0.expr=up&g0.tab=1 a+b%26c",
  ],
  ['{{ parseDuration "1h30m" }} {{ (args 1 "b").arg1 }} {{ safeHtml "<b>" }}', "5400 b <b>"],
  [
    '{{ humanize "1e3" }} {{ humanize true }}',
    '<error expanding template: error executing template __alert_High: template: __alert_High:1:136: executing "__alert_High" at <humanize true>: error calling humanize: can\'t convert bool to float>',
  ],
])("expands %s", async (text, expanded) => {
  expect(await annotation(text)).toBe(expanded);
});

test("prints values as Go does", async () => {
  expect(await annotation("{{ $value }}", 1e6)).toBe("1e+06");
  expect(await annotation("{{ $value }}", Infinity)).toBe("+Inf");
  expect(await annotation("{{ $value }}", Number.NaN)).toBe("NaN");
});

test("asks each query of a template once and lets it use the answers", async () => {
  const asked: string[] = [];
  const query = async (expr: string) => {
    asked.push(expr);
    return vector(["b", 2], ["a", 1]);
  };
  const text =
    '{{ range query "x" | sortByLabel "job" }}{{ .Labels.job }}={{ . | value }} {{ end }}{{ with query "y" }}{{ . | first | label "job" }}{{ end }}{{ query "x" | len }}';
  expect(await annotation(text, 1, query)).toBe("a=1 b=2 b2");
  expect(asked).toEqual(["x", "y"]);
});

test("a failing query leaves its error as the text", async () => {
  const query = async () => Promise.reject(new Error("no such store"));
  expect(await annotation('{{ query "x" }}', 1, query)).toBe(
    '<error expanding template: error executing template __alert_High: template: __alert_High:1:115: executing "__alert_High" at <query "x">: error calling query: no such store>',
  );
});

test("first of nothing is an error in Prometheus' words", async () => {
  expect(await annotation('{{ first (query "nothing") }}')).toBe(
    '<error expanding template: error executing template __alert_High: template: __alert_High:1:115: executing "__alert_High" at <first (query "nothing")>: error calling first: first() called on vector with no elements>',
  );
});

test("a template that would never end is stopped", async () => {
  expect(await annotation("{{ range 1000 }}{{ range 1000 }}{{ range 1000 }}{{ end }}{{ end }}{{ end }}")).toContain(
    "exceeded the limit of 100000 evaluation steps",
  );
});

test("says why a text is no template", () => {
  expect(templateProblem("A", "{{ $labels.x }}")).toBeUndefined();
  expect(templateProblem("A", "{{ $nope }}")).toBe('template: __alert_A:1: undefined variable "$nope"');
});
