import { z } from "zod";
import { httpOutcome } from "../http/http-client.ts";
import { answerOf, httpNotifier, settledHttp, type CallRequest, type HttpCall } from "../http/http-notifier.ts";
import { defineIntegration, type NotifyResult, type SettleContext } from "../integration.ts";
import { groupKeyHash } from "../notification.ts";
import { renderStructured, textsIn } from "../structured-value.ts";
import { truncateRunes } from "../truncate.ts";
import { JiraConfig } from "./config.ts";

const MAX_SUMMARY_RUNES = 255;
const MAX_DESCRIPTION_RUNES = 32_767;

export const jira = defineIntegration<"jira", JiraConfig>({
  name: "jira",
  config: JiraConfig,
  defaults: `
{{- define "jira.default.summary" }}{{ template "__subject" . }}{{ end }}
{{- define "jira.default.description" }}{{ template "__alert_lists_markdown" . }}{{ end }}
{{- define "__jira_priority" }}
{{- $priority := "" }}
{{- range . }}
{{- if eq .Labels.severity "critical" }}{{ $priority = "High" }}{{ end }}
{{- if and (eq .Labels.severity "warning") (ne $priority "High") }}{{ $priority = "Medium" }}{{ end }}
{{- if and (eq .Labels.severity "info") (eq $priority "") }}{{ $priority = "Low" }}{{ end }}
{{- end }}{{ $priority }}{{ end }}
{{- define "jira.default.priority" }}{{ if .Alerts.Firing }}{{ template "__jira_priority" .Alerts.Firing }}{{ else }}{{ template "__jira_priority" .Alerts.Resolved }}{{ end }}{{ end }}
`,
  settle,
  templates: (config) => ({ text: textsIn(config) }),
  create: (config, deps) =>
    // A request may have made an issue although its answer was lost; the next tick looks first.
    httpNotifier(config, deps, (call) => new JiraAttempt(config, call).run().catch(asResult), { noAnswerIs: "failed" }),
});

function settle(config: JiraConfig, context: SettleContext): JiraConfig {
  const api_url = config.api_url ?? context.global.jira_api_url;
  if (api_url === undefined) throw new Error("no api_url: set it here or jira_api_url in global");
  return { ...config, ...settledHttp(config, context), api_url: api_url.replace(/\/$/, "") };
}

/** A step that ends the attempt. */
class StepFailed extends Error {
  readonly result: NotifyResult;

  constructor(result: NotifyResult) {
    super("step failed");
    this.result = result;
  }
}

function asResult(error: unknown): NotifyResult {
  if (error instanceof StepFailed) return error.result;
  throw error;
}

const failed = (error: string) => new StepFailed({ status: "failed", reason: "other", error });

const Issue = z.object({
  key: z.string(),
  fields: z.object({ status: z.object({ statusCategory: z.object({ key: z.string() }) }).optional() }).optional(),
});
type Issue = z.output<typeof Issue>;
const SearchAnswer = z.object({ issues: z.array(Issue) });
const TransitionsAnswer = z.object({ transitions: z.array(z.object({ id: z.string(), name: z.string() })) });

/** One issue for each group, found again by a label: looked up, written, then moved on. */
class JiraAttempt {
  readonly #config: JiraConfig;
  readonly #call: HttpCall;
  readonly #label: string;

  constructor(config: JiraConfig, call: HttpCall) {
    this.#config = config;
    this.#call = call;
    this.#label = `ALERT{${groupKeyHash(call.notification.groupKey)}}`;
  }

  async run(): Promise<NotifyResult> {
    const issue = await this.#find();
    if (!issue) {
      if (this.#call.firing)
        await this.#request("create an issue", { url: this.#url("issue"), json: this.#fields(false) });
      return { status: "sent" };
    }
    const url = this.#url(`issue/${encodeURIComponent(issue.key)}`);
    await this.#request(`update ${issue.key}`, { method: "PUT", url, json: this.#fields(true) });
    await this.#transition(issue, url);
    return { status: "sent" };
  }

  #url(path: string): string {
    return `${this.#config.api_url}/${path}`;
  }

  async #request(what: string, request: CallRequest) {
    const response = await this.#call.send({ ...request, headers: { "accept-language": "en" } });
    const outcome = httpOutcome(response, [429]);
    if (outcome.status !== "sent") throw new StepFailed({ ...outcome, error: `cannot ${what}: ${outcome.error}` });
    return response;
  }

  async #find(): Promise<Issue | undefined> {
    const json = { jql: this.#jql(), maxResults: 2, fields: ["status"] };
    const response = await this.#request("search for the issue", { url: this.#searchUrl(), json });
    const answer = answerOf(SearchAnswer, response);
    if (!answer) throw failed("Jira's answer to a search is not the JSON it promises");
    return answer.issues[0];
  }

  /** Jira Cloud has only the new search, Data Center only the old one. */
  #searchUrl(): string {
    const { api_type: type, api_url: base = "" } = this.#config;
    const cloud = type === "cloud" || (type === "auto" && new URL(base).host.endsWith("atlassian.net"));
    return cloud ? this.#url("search/jql").replace("/rest/api/2/", "/rest/api/3/") : this.#url("search");
  }

  #jql(): string {
    const { wont_fix_resolution: wontFix, reopen_transition: reopen, reopen_duration: reopenMs = 0 } = this.#config;
    const minutes = Math.trunc(reopenMs / 60_000);
    const reopened = this.#call.firing && reopen !== undefined && reopen !== "" && minutes > 0;
    const conditions = [
      // An open issue has no resolution, which "!=" alone would leave out.
      ...(wontFix ? [`(resolution is EMPTY or resolution != ${JSON.stringify(wontFix)})`] : []),
      reopened ? `(resolutiondate is EMPTY OR resolutiondate >= -${minutes}m)` : "statusCategory != Done",
      `project=${JSON.stringify(this.#call.text(this.#config.project))}`,
      `labels=${JSON.stringify(this.#label)}`,
    ];
    return `${conditions.join(" and ")} order by status ASC,resolutiondate DESC`;
  }

  #fields(exists: boolean) {
    const { summary, description, labels = [], issue_type, project, fields = {} } = this.#config;
    const text = (template: string) => this.#call.text(template);
    const writes = ({ enable_update }: { enable_update?: boolean | undefined }) => !exists || enable_update !== false;
    const priority = text(this.#config.priority);
    return {
      fields: {
        project: { key: text(project) },
        issuetype: { name: text(issue_type) },
        summary: writes(summary) ? truncateRunes(text(summary.template), MAX_SUMMARY_RUNES) : undefined,
        description: writes(description) ? this.#description() : undefined,
        labels: [...labels.map(text), this.#label].sort(),
        priority: priority === "" ? undefined : { name: priority },
        ...Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, renderStructured(value, text)])),
      },
    };
  }

  #description(): unknown {
    const rendered = truncateRunes(this.#call.text(this.#config.description.template), MAX_DESCRIPTION_RUNES);
    if (!/\/3\/?$/.test(new URL(this.#config.api_url ?? "").pathname)) return rendered || undefined;
    if (rendered.trim() === "") return undefined;
    try {
      return JSON.parse(rendered) as unknown;
    } catch {
      throw failed("description is not JSON, which version 3 of Jira's API demands (Atlassian Document Format)");
    }
  }

  async #transition(issue: Issue, issueUrl: string): Promise<void> {
    const category = issue.fields?.status?.statusCategory.key;
    const done = category === "done";
    const { reopen_transition, resolve_transition } = this.#config;
    const name = this.#call.firing ? reopen_transition : resolve_transition;
    if (category === undefined || done !== this.#call.firing || !name) return;
    const url = `${issueUrl}/transitions`;
    const response = await this.#request(`list the transitions of ${issue.key}`, { method: "GET", url });
    const known = answerOf(TransitionsAnswer, response)?.transitions.find((transition) => transition.name === name);
    if (!known) throw failed(`issue ${issue.key} has no transition ${JSON.stringify(name)}`);
    await this.#request(`transition ${issue.key}`, { url, json: { transition: { id: known.id } } });
  }
}
