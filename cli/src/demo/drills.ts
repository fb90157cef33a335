/** A fault to inject and the alert that must follow. */
export interface DrillSpec {
  name: string;
  title: string;
  description: string;
  service: string;
  fault: string;
  alert: string;
  /** PromQL that has a result once the fault shows in the samples. */
  seen: string;
}

export const DRILLS: readonly DrillSpec[] = [
  {
    name: "sms-outage",
    title: "SMS provider outage",
    description: "Both SMS providers refuse every message.",
    service: "sms",
    fault: "provider_outage",
    alert: "SmsDeliveryFailing",
    seen: `sum(rate(sms_messages_total{outcome="failed"}[30s])) > 0`,
  },
  {
    name: "sms-crash",
    title: "SMS service crash",
    description: "The SMS service ends and does not come back.",
    service: "sms",
    fault: "crash",
    alert: "ServiceDown",
    seen: `up{job="sms"} == 0`,
  },
  {
    name: "limiter-misconfigured",
    title: "Rate limiter misconfigured",
    description: "The rate limiter's buckets shrink to nothing, so that nearly every request is turned away.",
    service: "rate-limiter",
    fault: "misconfigured",
    alert: "RateLimiterRejecting",
    seen: `sum(rate(rate_limiter_decisions_total{decision="limited"}[30s])) / sum(rate(rate_limiter_decisions_total[30s])) > 0.5`,
  },
  {
    name: "api-errors",
    title: "API gateway errors",
    description: "The API gateway answers most requests with 500.",
    service: "api",
    fault: "error_rate",
    alert: "HighErrorRate",
    seen: `sum(rate(http_server_request_duration_seconds_count{job="api",status_code=~"5.."}[30s])) > 0`,
  },
];
