import { nanoToMs, type Span, TraceLogs, TracePage, tracesFromJson } from "@tocsin/model";
import {
  type InfiniteData,
  useInfiniteQuery,
  useQuery,
  type UseInfiniteQueryResult,
  type UseQueryResult,
} from "@tanstack/react-query";
import { z } from "zod";
import type { Range } from "../url/range.ts";
import { useLive } from "../url/use-range.ts";
import { getJson } from "./client.ts";
import { usePolled } from "./use-polled.ts";

const PATH = "/api/tocsin/v1/traces";
const PAGE_SIZE = 100;

/** The traces of a search, newest first, page by page. */
export function useTraces(q: string, { from, to }: Range): UseInfiniteQueryResult<InfiniteData<TracePage>> {
  const { live } = useLive();
  return useInfiniteQuery({
    queryKey: ["traces", "page", q, from, to],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      getJson(PATH, TracePage, { params: { q, from, to, limit: PAGE_SIZE, cursor: pageParam }, signal }),
    getNextPageParam: ({ cursor }) => cursor,
    placeholderData: (previous) => previous,
    // Once somebody has gone further back, a refresh would ask for all pages again.
    refetchInterval: ({ state }) => (live && (state.data?.pages.length ?? 0) <= 1 ? 10_000 : false),
  });
}

/** Milliseconds after its last span in which a trace may still grow: spans come in batches, and after their logs. */
const SETTLED_MS = 30_000;
/** How often a trace that is not there is asked for before one can say so. */
const PATIENCE = 15;

/** Every span of one trace; asked for often while it is new or not there yet, then seldom. */
export function useTrace(traceId: string): UseQueryResult<Span[]> {
  const { live } = useLive();
  return useQuery({
    queryKey: ["traces", "one", traceId],
    queryFn: async ({ signal }) =>
      tracesFromJson(await getJson(`${PATH}/${encodeURIComponent(traceId)}`, z.unknown(), { signal })),
    refetchInterval: ({ state: { data, errorUpdateCount } }) => {
      if (!live) return false;
      if (data === undefined) return errorUpdateCount < PATIENCE ? 2000 : 30_000;
      return isSettled(data, Date.now()) ? 30_000 : 2000;
    },
  });
}

/** Whether no more spans are to be expected. */
export function isSettled(spans: readonly Span[], now: number): boolean {
  return spans.every(({ endTimeUnixNano }) => now - nanoToMs(endTimeUnixNano) > SETTLED_MS);
}

export function useTraceLogs(traceId: string): UseQueryResult<TraceLogs> {
  return usePolled({
    queryKey: ["traces", "logs", traceId],
    queryFn: ({ signal }) => getJson(`${PATH}/${encodeURIComponent(traceId)}/logs`, TraceLogs, { signal }),
    everyMs: 30_000,
    keepPrevious: false,
  });
}
