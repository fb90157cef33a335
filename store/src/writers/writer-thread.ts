import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  decodeLogs,
  decodeTraces,
  matchesLog,
  OtlpDecodeError,
  type LogItem,
  type LogRecord,
  type Query,
  type Span,
} from "@tocsin/model";
import { errorMessage, serveWorker, TocsinError } from "@tocsin/platform";
import type { FileInfo } from "../files/file-info.ts";
import { logId, logItem } from "../logs/log-queries.ts";
import { SpanMetrics, type SpanMetricsSnapshot } from "../services/span-metrics.ts";
import { GroupCommit } from "./group-commit.ts";
import { logKind, spanKind, type StoredSignal } from "./record-kind.ts";
import { isSqliteError, SignalWriter, type DamagedFile, type FileLimits, type Written } from "./signal-writer.ts";

interface WriterOptions {
  dataDir: string;
  commitDelayMs: number;
  logs: FileLimits;
  spans: FileLimits;
  maxSpanSeries: number;
}

/** What became of one message. */
export type AppendResult = { status: "ok" } | { status: "poison"; reason: string };

/** Sent to the owner after a commit, before the append calls it served are answered. */
export interface Committed {
  signal: StoredSignal;
  file: FileInfo;
  records: number;
  /** Left out: came before; not valid. */
  repeated: number;
  invalid: number;
}

export interface Tailed {
  subscriber: number;
  items: LogItem[];
  dropped: number;
}

export type DamagedStoreFile = DamagedFile & { signal: StoredSignal };

/** A subscriber gets at most so many records of one commit. */
const MAX_TAIL_ITEMS = 500;

interface Running {
  logs: SignalWriter<LogRecord>;
  spans: SignalWriter<Span>;
  logCommits: GroupCommit<LogRecord>;
  spanCommits: GroupCommit<Span>;
  metrics: SpanMetrics;
}

let running: Running | undefined;
const subscribers = new Map<number, Query>();

function open(options: WriterOptions): Record<StoredSignal, FileInfo[]> {
  const report = (signal: StoredSignal) => (file: DamagedFile) =>
    send("damaged", { ...file, signal } satisfies DamagedStoreFile);
  const logs = new SignalWriter(join(options.dataDir, "logs"), logKind, options.logs, report("logs"));
  const spans = new SignalWriter(join(options.dataDir, "spans"), spanKind, options.spans, report("spans"));
  logs.open();
  spans.open();
  const metrics = new SpanMetrics(options.maxSpanSeries);
  const logCommits = new GroupCommit(logs, options.commitDelayMs, (written) => {
    send("committed", committed("logs", written));
    fanOut(written);
  });
  const spanCommits = new GroupCommit(spans, options.commitDelayMs, (written, at) => {
    send("committed", committed("spans", written));
    metrics.add(written.records, at);
  });
  running = { logs, spans, logCommits, spanCommits, metrics };
  return files();
}

function committed(signal: StoredSignal, { file, records, repeated, invalid }: Written<unknown>): Committed {
  return { signal, file, records: records.length, repeated, invalid };
}

function active(): Running {
  if (!running) throw new TocsinError("TOCSIN_STOPPING", "the store is stopped");
  return running;
}

function files(): Record<StoredSignal, FileInfo[]> {
  const { logs, spans } = active();
  return { logs: logs.files(), spans: spans.files() };
}

async function append(signal: StoredSignal, bytes: Uint8Array, at: number): Promise<AppendResult> {
  const { logCommits, spanCommits } = active();
  const id = createHash("sha1").update(bytes).digest().subarray(0, 16);
  try {
    if (signal === "logs") return await logCommits.add({ records: decodeLogs(bytes), bytes: bytes.length, id }, at);
    return await spanCommits.add({ records: decodeTraces(bytes), bytes: bytes.length, id }, at);
  } catch (error) {
    if (error instanceof OtlpDecodeError) return { status: "poison", reason: error.message };
    if (isSqliteError(error) || error instanceof TocsinError) throw error;
    return { status: "poison", reason: `cannot be stored: ${errorMessage(error)}` };
  }
}

function fanOut({ file, records, rows }: Written<LogRecord>): void {
  for (const [subscriber, query] of subscribers) {
    const items: LogItem[] = [];
    let dropped = 0;
    records.forEach((record, i) => {
      if (!matchesLog(query, record)) return;
      if (items.length < MAX_TAIL_ITEMS) items.push(logItem(logId(file.name, rows[i] as number), record));
      else dropped++;
    });
    if (items.length > 0) send("tail", { subscriber, items, dropped } satisfies Tailed);
  }
}

const handlers = {
  open,
  append,
  tick(at: number): Record<StoredSignal, FileInfo[]> {
    const { logs, spans, metrics } = active();
    logs.tick(at);
    spans.tick(at);
    metrics.expire(at);
    return files();
  },
  drop(signal: StoredSignal, names: readonly string[]): void {
    active()[signal].drop(names);
  },
  setAside(signal: StoredSignal, name: string): void {
    active()[signal].setAside(name);
  },
  subscribe(subscriber: number, query: Query): void {
    subscribers.set(subscriber, query);
  },
  unsubscribe(subscriber: number): void {
    subscribers.delete(subscriber);
  },
  spanMetrics(): SpanMetricsSnapshot {
    return active().metrics.snapshot();
  },
  close(): void {
    if (!running) return;
    const { logs, spans, logCommits, spanCommits } = running;
    running = undefined;
    logCommits.flush();
    spanCommits.flush();
    logs.close();
    spans.close();
  },
};

export type WriterHandlers = typeof handlers;

const send = serveWorker(handlers);
