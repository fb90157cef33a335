export { ManualClock } from "./manual-clock.ts";
export { silentLogger } from "./silent-logger.ts";
export { eventually, runTocsin, startTocsin, type TocsinProcess, type TocsinProcessOptions } from "./tocsin-process.ts";
