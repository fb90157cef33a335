import type { LogItem, Query } from "@tocsin/model";
import type { LogStore, TimeRange } from "../log-store.ts";

export const MAX_EXPORTED = 50_000;
const PAGE = 1000;

export const EXPORT_FORMATS = {
  jsonl: {
    type: "application/x-ndjson; charset=utf-8",
    extension: "jsonl",
    head: "",
    line: (item: LogItem) => `${JSON.stringify(item)}\n`,
  },
  csv: {
    type: "text/csv; charset=utf-8",
    extension: "csv",
    head: "time,service,severity,message,trace_id,span_id,attributes,resource\r\n",
    line: csvLine,
  },
} as const;

export interface LogExport extends TimeRange {
  query: Query;
  limit: number;
  format: keyof typeof EXPORT_FORMATS;
}

/** Lines of the matching logs, newest first, a page at a time, so that memory stays small. */
export async function* exportLogs(
  logs: LogStore,
  { format, limit, ...search }: LogExport,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const { head, line } = EXPORT_FORMATS[format];
  if (head !== "") yield head;
  let left = limit;
  let cursor: string | undefined;
  do {
    const page = await logs.search(
      { ...search, limit: Math.min(PAGE, left), ...(cursor !== undefined && { cursor }) },
      signal,
    );
    if (page.items.length > 0) yield page.items.map(line).join("");
    left -= page.items.length;
    cursor = page.cursor;
  } while (cursor !== undefined && left > 0);
}

function csvLine(item: LogItem): string {
  const { time, service, severity, message, traceId, spanId, attributes, resource } = item;
  const cells = [
    time,
    service,
    severity,
    message,
    traceId,
    spanId,
    JSON.stringify(attributes),
    JSON.stringify(resource),
  ];
  return `${cells.map(csvCell).join(",")}\r\n`;
}

/** RFC 4180; a leading apostrophe keeps spreadsheets from running a message as a formula. */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
