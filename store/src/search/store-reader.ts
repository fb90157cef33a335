import type { Query } from "@tocsin/model";
import type { FileInfo } from "../files/file-info.ts";
import type { LogSearch, TimeRange } from "../log-store.ts";
import { LogBlock } from "../logs/log-block.ts";
import { logFacets, logHistogram, searchLogs } from "../logs/log-queries.ts";
import { rankLogs } from "../logs/ranked-logs.ts";
import { edgeRows } from "../services/edges.ts";
import { redRows } from "../services/red.ts";
import { SpanBlock } from "../spans/span-block.ts";
import { findTrace, searchTraces } from "../spans/trace-queries.ts";
import type { RedQuery, TraceSearch } from "../trace-store.ts";
import { FileCache } from "./read-file.ts";
import { SearchAborted, type DamagedRead, type Deadline } from "./scan.ts";

/** What comes with every question: the files there are, a flag that is raised when nobody waits any more, the time. */
export interface Asking {
  files: readonly FileInfo[];
  abandoned: Int32Array<SharedArrayBuffer>;
  budgetMs: number;
}

export interface Answer<T> {
  result: T;
  damaged: DamagedRead[];
}

const CACHE = { maxFiles: 24, maxBytes: 96 * 2 ** 20 };
function deadlineOf({ abandoned, budgetMs }: Asking): Deadline {
  const end = performance.now() + budgetMs;
  return {
    passed() {
      if (Atomics.load(abandoned, 0) === 1) throw new SearchAborted("the search was given up");
      return performance.now() > end;
    },
  };
}

function answer<T>(
  asking: Asking,
  ask: (reading: { files: readonly FileInfo[]; deadline: Deadline; damaged: DamagedRead[] }) => T,
): Answer<T> {
  const damaged: DamagedRead[] = [];
  const result = ask({ files: asking.files, deadline: deadlineOf(asking), damaged });
  return { result, damaged };
}

/** What runs in a reader thread: one question after the other, each with its own look at the files. */
export function createStoreReader() {
  const logs = new FileCache((parts) => new LogBlock(parts), CACHE);
  const spans = new FileCache((parts) => new SpanBlock(parts), CACHE);
  return {
    searchLogs: (search: LogSearch, asking: Asking) =>
      answer(asking, (reading) => {
        const { order, ...rest } = search;
        if (order === "relevance") return rankLogs(rest, { ...reading, cache: logs });
        return searchLogs({ ...rest, ...(order && { order }) }, { ...reading, cache: logs });
      }),
    histogram: (search: TimeRange & { query: Query; buckets: number }, asking: Asking) =>
      answer(asking, (reading) => logHistogram(search, { ...reading, cache: logs })),
    facets: (search: TimeRange & { query: Query; fields: readonly string[]; top: number }, asking: Asking) =>
      answer(asking, (reading) => logFacets(search, { ...reading, cache: logs })),
    searchTraces: (search: TraceSearch, asking: Asking) =>
      answer(asking, (reading) => searchTraces(search, { ...reading, cache: spans })),
    trace: (traceId: string, asking: Asking) =>
      answer(asking, (reading) => findTrace(traceId, { ...reading, cache: spans })),
    red: (query: RedQuery, asking: Asking) => answer(asking, (reading) => redRows(query, { ...reading, cache: spans })),
    edges: (range: TimeRange, asking: Asking) =>
      answer(asking, (reading) => edgeRows(range, { ...reading, cache: spans })),
    /** Closes files, so that they can be deleted or renamed. */
    release(paths: readonly string[]): void {
      logs.close(paths);
      spans.close(paths);
    },
  };
}

export type StoreReader = ReturnType<typeof createStoreReader>;
