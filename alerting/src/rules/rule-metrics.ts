import { Counter, Gauge, type Registry, Summary } from "@tocsin/platform";

export type RuleMetrics = ReturnType<typeof createRuleMetrics>;

/** The evaluator's metrics, named and labelled as Prometheus' own so that its boards and alerts fit. */
export function createRuleMetrics(registry: Registry) {
  const registers = [registry];
  const labelNames = ["rule_group"] as const;
  const perGroup = { labelNames, registers };
  const quantiles = { percentiles: [0.5, 0.9, 0.99], maxAgeSeconds: 600, ageBuckets: 5, registers };
  return {
    evaluations: new Counter({
      name: "prometheus_rule_evaluations_total",
      help: "The total number of rule evaluations.",
      ...perGroup,
    }),
    failures: new Counter({
      name: "prometheus_rule_evaluation_failures_total",
      help: "The total number of rule evaluation failures.",
      ...perGroup,
    }),
    evaluationSeconds: new Summary({
      name: "prometheus_rule_evaluation_duration_seconds",
      help: "The duration for a rule to execute.",
      ...quantiles,
    }),
    groupSeconds: new Summary({
      name: "prometheus_rule_group_duration_seconds",
      help: "The duration of rule group evaluations.",
      ...quantiles,
    }),
    iterations: new Counter({
      name: "prometheus_rule_group_iterations_total",
      help: "The total number of scheduled rule group evaluations, whether executed or missed.",
      ...perGroup,
    }),
    missed: new Counter({
      name: "prometheus_rule_group_iterations_missed_total",
      help: "The total number of rule group evaluations missed due to slow rule group evaluation.",
      ...perGroup,
    }),
    interval: new Gauge({
      name: "prometheus_rule_group_interval_seconds",
      help: "The interval of a rule group.",
      ...perGroup,
    }),
    rules: new Gauge({
      name: "prometheus_rule_group_rules",
      help: "The number of rules.",
      ...perGroup,
    }),
    lastSeconds: new Gauge({
      name: "prometheus_rule_group_last_duration_seconds",
      help: "The duration of the last rule group evaluation.",
      ...perGroup,
    }),
    lastTime: new Gauge({
      name: "prometheus_rule_group_last_evaluation_timestamp_seconds",
      help: "The timestamp of the last rule group evaluation in seconds.",
      ...perGroup,
    }),
    lastSamples: new Gauge({
      name: "prometheus_rule_group_last_evaluation_samples",
      help: "The number of samples returned during the last rule group evaluation.",
      ...perGroup,
    }),
    reloadSuccessful: new Gauge({
      name: "tocsin_rules_last_reload_successful",
      help: "Whether the rule files were last loaded without a mistake.",
      registers,
    }),
  };
}

export type AlertQueueMetrics = ReturnType<typeof createAlertQueueMetrics>;

/** Metrics of the queue before the router, as Prometheus names its notifier's. */
export function createAlertQueueMetrics(registry: Registry) {
  const registers = [registry];
  return {
    sent: new Counter({
      name: "prometheus_notifications_sent_total",
      help: "Total number of alerts sent.",
      registers,
    }),
    dropped: new Counter({
      name: "prometheus_notifications_dropped_total",
      help: "Total number of alerts dropped because the queue was full or sending failed for good.",
      registers,
    }),
    errors: new Counter({
      name: "prometheus_notifications_errors_total",
      help: "Total number of failed attempts to send alerts.",
      registers,
    }),
    length: new Gauge({
      name: "prometheus_notifications_queue_length",
      help: "The number of alert notifications in the queue.",
      registers,
    }),
    capacity: new Gauge({
      name: "prometheus_notifications_queue_capacity",
      help: "The capacity of the alert notifications queue.",
      registers,
    }),
  };
}
