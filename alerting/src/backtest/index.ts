export { backtest, type BacktestOptions } from "./backtest.ts";
export { backtestApi, type BacktestApiOptions } from "./backtest-api.ts";
export type { HistorySource } from "./history-source.ts";
export type { Routing } from "./replay.ts";
