import { PipelineStatus, RejectList } from "@tocsin/model";
import type { UseQueryResult } from "@tanstack/react-query";
import { getJson } from "./client.ts";
import { usePolled } from "./use-polled.ts";

export function usePipeline(): UseQueryResult<PipelineStatus> {
  return usePolled({
    queryKey: ["pipeline"],
    queryFn: ({ signal }) => getJson("/api/tocsin/v1/pipeline", PipelineStatus, { signal }),
  });
}

export function useRejects(): UseQueryResult<RejectList> {
  return usePolled({
    queryKey: ["rejects"],
    queryFn: ({ signal }) => getJson("/api/tocsin/v1/rejects", RejectList, { signal }),
  });
}
