import { ServiceDetail, ServiceGraph, ServiceList } from "@tocsin/model";
import type { UseQueryResult } from "@tanstack/react-query";
import type { Range } from "../url/range.ts";
import { getJson } from "./client.ts";
import { usePolled } from "./use-polled.ts";

export function useServices({ from, to }: Range): UseQueryResult<ServiceList> {
  return usePolled({
    queryKey: ["services", "list", from, to],
    queryFn: ({ signal }) => getJson("/api/tocsin/v1/services", ServiceList, { params: { from, to }, signal }),
  });
}

export function useService(name: string, { from, to }: Range): UseQueryResult<ServiceDetail> {
  return usePolled({
    queryKey: ["services", "one", name, from, to],
    queryFn: ({ signal }) =>
      getJson(`/api/tocsin/v1/services/${encodeURIComponent(name)}`, ServiceDetail, { params: { from, to }, signal }),
  });
}

export function useServiceGraph({ from, to }: Range): UseQueryResult<ServiceGraph> {
  return usePolled({
    queryKey: ["services", "graph", from, to],
    queryFn: ({ signal }) => getJson("/api/tocsin/v1/services/graph", ServiceGraph, { params: { from, to }, signal }),
  });
}
