export { ManualClock } from "./manual-clock.ts";
export { silentLogger } from "./silent-logger.ts";
