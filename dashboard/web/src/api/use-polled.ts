import { keepPreviousData, type QueryKey, useQuery, type UseQueryResult } from "@tanstack/react-query";
import { useLive } from "../url/use-range.ts";

/** Milliseconds between two refreshes of a page that is live. */
const REFRESH_MS = 10_000;

export interface Polled<T> {
  queryKey: QueryKey;
  queryFn: (context: { signal: AbortSignal }) => Promise<T>;
  everyMs?: number;
  enabled?: boolean;
  /** Whether the last answer stays on screen while another question is asked. */
  keepPrevious?: boolean;
}

/** A query that refreshes itself while the page is live and visible, and holds the last answer while the range moves. */
export function usePolled<T>({
  queryKey,
  queryFn,
  everyMs = REFRESH_MS,
  enabled = true,
  keepPrevious = true,
}: Polled<T>): UseQueryResult<T> {
  const { live } = useLive();
  const options = { queryKey, queryFn, enabled, refetchInterval: live ? everyMs : (false as const) };
  return useQuery<T>(keepPrevious ? { ...options, placeholderData: keepPreviousData } : options);
}
