export { describeFlag } from "./settings/read-settings.ts";
export { SCALAR_KEYS, ScalarSettings, TocsinConfig } from "./settings/settings.ts";
