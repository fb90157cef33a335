export {
  humanize,
  humanize1024,
  humanizeDuration,
  humanizePercentage,
  humanizeTimestamp,
  toDuration,
  toTime,
} from "./numbers.ts";
export { match, reReplaceAll, safeHtml, title, toLower, toUpper } from "./text.ts";
