import { InboxDetail, InboxPage } from "@tocsin/model";
import type { UseQueryResult } from "@tanstack/react-query";
import { getJson } from "./client.ts";
import { usePolled } from "./use-polled.ts";

export function useInbox(): UseQueryResult<InboxPage> {
  return usePolled({
    queryKey: ["inbox", "list"],
    queryFn: ({ signal }) => getJson("/api/tocsin/v1/inbox", InboxPage, { signal }),
  });
}

export function useMessage(id: string): UseQueryResult<InboxDetail> {
  return usePolled({
    queryKey: ["inbox", "message", id],
    queryFn: ({ signal }) => getJson(`/api/tocsin/v1/inbox/${encodeURIComponent(id)}`, InboxDetail, { signal }),
    everyMs: 3_600_000,
    keepPrevious: false,
  });
}
