export * from "./rules/index.ts";
export * from "./backtest/index.ts";

export { alertmanagerApi, type AlertmanagerApiOptions } from "./api/alertmanager-api.ts";
export { alertmanagerOperations, type OperationsOptions } from "./api/operations.ts";
export { checkConfig, type CheckedConfig } from "./check-config.ts";
export {
  AlertRouter,
  COMPATIBLE_VERSION,
  createAlertRouter,
  type AlertRouterOptions,
  type PostResult,
} from "./router.ts";
export { ExtraReceivers, type ExtraReceiver } from "./config/extra-receivers.ts";
export { decisionsApi, type DecisionsApiOptions } from "./api/decisions-api.ts";
export { DecisionLog, type DecisionLogOptions, type DecisionQuery } from "./decisions/decision-log.ts";
