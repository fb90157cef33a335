import { type Span, TraceLogs, TracePage, tracesFromJson } from "@tocsin/model";
import {
  type InfiniteData,
  useInfiniteQuery,
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

/** Every span of one trace. A trace that is still coming in is asked for again while the page is live. */
export function useTrace(traceId: string): UseQueryResult<Span[]> {
  return usePolled({
    queryKey: ["traces", "one", traceId],
    queryFn: async ({ signal }) =>
      tracesFromJson(await getJson(`${PATH}/${encodeURIComponent(traceId)}`, z.unknown(), { signal })),
    everyMs: 30_000,
    keepPrevious: false,
  });
}

export function useTraceLogs(traceId: string): UseQueryResult<TraceLogs> {
  return usePolled({
    queryKey: ["traces", "logs", traceId],
    queryFn: ({ signal }) => getJson(`${PATH}/${encodeURIComponent(traceId)}/logs`, TraceLogs, { signal }),
    everyMs: 30_000,
    keepPrevious: false,
  });
}
