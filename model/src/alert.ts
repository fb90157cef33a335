import type { Labels } from "./labels.ts";

/** An alert as clients post it to Alertmanager's API v2; times are RFC 3339. */
export interface PostableAlert {
  labels: Labels;
  annotations?: Labels;
  startsAt?: string;
  endsAt?: string;
  generatorURL?: string;
}

/** Of an alert on the rule's side. */
export type AlertState = "inactive" | "pending" | "firing";
/** Of an alert on the router's side. */
export type AlertStatus = "unprocessed" | "active" | "suppressed";
