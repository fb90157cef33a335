import type { z } from "zod";
import {
  bool,
  duration,
  field,
  list,
  mapOf,
  object,
  oneOf,
  requiredText,
  text,
  untyped,
  url,
} from "../../config/fields.ts";
import { httpConfig, sendResolved, template } from "../../config/receiver-fields.ts";
import { YamlMap } from "../../config/yaml-tree.ts";

export interface JiraField {
  readonly template: string;
  /** Whether it is written again when the issue exists. */
  readonly enable_update?: boolean | undefined;
}

/** A template, or a map that also says whether it is written again. */
const jiraField = (fallback: string) => {
  const Full = object({ template: text.default(fallback), enable_update: bool.optional() });
  return field<JiraField>(
    (tree) => (tree instanceof YamlMap ? Full.parse(tree) : { template: text.parse(tree) }),
    (value) => (value.enable_update === undefined ? value.template : { ...value }),
  ).default({ template: fallback });
};

export const JiraConfig = object({
  send_resolved: sendResolved(true),
  http_config: httpConfig,
  api_url: url.optional().describe("the REST API, ending in /rest/api/2 or /3; default jira_api_url"),
  api_type: oneOf("auto", "cloud", "datacenter").default("auto").describe("auto takes *.atlassian.net for cloud"),
  project: requiredText.describe("key of the project; a template may stand in it"),
  issue_type: requiredText.describe("type of new issues; a template may stand in it"),
  summary: jiraField('{{ template "jira.default.summary" . }}').describe("at most 255 characters"),
  description: jiraField('{{ template "jira.default.description" . }}').describe(
    "at most 32767 characters; for API 3 a document in JSON",
  ),
  labels: list(text).optional().describe("labels beside the one that the group is found by"),
  priority: template('{{ template "jira.default.priority" . }}', "priority by name; none if empty"),
  fields: mapOf(untyped).optional().describe("further fields; every text in them is a template"),
  reopen_transition: text.optional().describe("transition that reopens a closed issue"),
  resolve_transition: text.optional().describe("transition that closes the issue when the group has ended"),
  wont_fix_resolution: text.optional().describe("issues with this resolution are left alone"),
  reopen_duration: duration.optional().describe("how long a closed issue is reopened instead of a new one made"),
});
export type JiraConfig = z.output<typeof JiraConfig>;
