export {
  type AlertSink,
  createEngineQuerySource,
  type QueryAnswer,
  type QuerySample,
  type QuerySeries,
  type QuerySource,
  type RuleOutput,
  toQueryAnswer,
} from "../query-source.ts";
export { type AlertmanagerSinkOptions, createAlertmanagerSink } from "./alertmanager-sink.ts";
export { rulesApi } from "./api.ts";
export type { RuleAlert } from "./evaluate.ts";
export { createPrometheusQuerySource, type PrometheusQuerySourceOptions } from "./prometheus-query-source.ts";
export {
  type AlertingRule,
  findRuleFiles,
  loadRuleFiles,
  parseRuleFile,
  type RecordingRule,
  type Rule,
  type RuleDefaults,
  type RuleGroupConfig,
} from "./rule-file.ts";
export type { GroupSnapshot, RuleHealth, RuleSnapshot } from "./rule-group.ts";
export { createRuleManager, type RuleManager, type RuleManagerOptions } from "./rule-manager.ts";
export { checkRules, type RuleFileCheck } from "./check-rules.ts";
export { runRuleTests, type RuleTestResult } from "./rule-tests.ts";
