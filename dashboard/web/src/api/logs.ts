import { LogFacets, LogHistogram, LogItem, LogPage } from "@tocsin/model";
import {
  type InfiniteData,
  useInfiniteQuery,
  type UseInfiniteQueryResult,
  type UseQueryResult,
} from "@tanstack/react-query";
import type { Range } from "../url/range.ts";
import { getJson, type RequestOptions } from "./client.ts";
import { usePolled } from "./use-polled.ts";

const PATH = "/api/tocsin/v1/logs";
const PAGE_SIZE = 200;

/** The records of a search, newest first, page by page. They do not refresh themselves: new ones come over the tail. */
export function useLogs(q: string, { from, to }: Range): UseInfiniteQueryResult<InfiniteData<LogPage>> {
  return useInfiniteQuery({
    queryKey: ["logs", "page", q, from, to],
    initialPageParam: "",
    queryFn: ({ pageParam, signal }) =>
      getJson(PATH, LogPage, { params: { q, from, to, limit: PAGE_SIZE, cursor: pageParam }, signal }),
    getNextPageParam: ({ cursor }) => cursor,
    placeholderData: (previous) => previous,
    staleTime: 30_000,
    refetchOnWindowFocus: false,
  });
}

export function useLogHistogram(q: string, { from, to }: Range, buckets: number): UseQueryResult<LogHistogram> {
  return usePolled({
    queryKey: ["logs", "histogram", q, from, to, buckets],
    queryFn: ({ signal }) => getJson(`${PATH}/histogram`, LogHistogram, { params: { q, from, to, buckets }, signal }),
  });
}

export function useLogFacets(q: string, { from, to }: Range): UseQueryResult<LogFacets> {
  return usePolled({
    queryKey: ["logs", "facets", q, from, to],
    queryFn: ({ signal }) =>
      getJson(`${PATH}/facets`, LogFacets, { params: { q, from, to, fields: "service,severity", top: 10 }, signal }),
    everyMs: 30_000,
  });
}

/** Milliseconds on each side of a record in which its neighbours are looked for. */
const AROUND_MS = 30_000;

/** Records of the same service around a point in time, newest first. */
export function useLogsAround(item: LogItem): UseQueryResult<LogPage> {
  const at = Date.parse(item.time);
  const params: RequestOptions["params"] = {
    q: `service:${JSON.stringify(item.service)}`,
    from: new Date(at - AROUND_MS).toISOString(),
    to: new Date(at + AROUND_MS).toISOString(),
    limit: 500,
  };
  return usePolled({
    queryKey: ["logs", "around", item.id],
    queryFn: ({ signal }) => getJson(PATH, LogPage, { params, signal }),
    everyMs: 3_600_000,
    keepPrevious: false,
  });
}

/**
 * Opens the live tail of a search. `onItem` gets each record as it is stored; `onState` says whether the stream stands.
 * Answers the function that closes it.
 */
export function openTail(
  q: string,
  onItem: (item: LogItem) => void,
  onState: (connected: boolean) => void,
): () => void {
  const source = new EventSource(`${PATH}/tail?${new URLSearchParams({ q }).toString()}`);
  const take = (event: MessageEvent<string>) => {
    const item = LogItem.safeParse(JSON.parse(event.data));
    if (item.success) onItem(item.data);
  };
  source.addEventListener("open", () => onState(true));
  source.addEventListener("error", () => onState(false));
  source.addEventListener("message", take);
  source.addEventListener("log", take);
  return () => source.close();
}
