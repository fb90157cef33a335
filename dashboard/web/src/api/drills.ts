import { DrillList, DrillRun } from "@tocsin/model";
import { type QueryClient, useMutation, useQuery, useQueryClient, type UseQueryResult } from "@tanstack/react-query";
import { getJson } from "./client.ts";

const KEY = ["drills"];
const PATH = "/api/tocsin/v1/drills";

export const isUnderWay = (run: DrillRun | null): boolean => run?.state === "breaking" || run?.state === "resolving";

/** The drills and their last runs. While one is under way it is asked for every second, in case no event comes through. */
export function useDrills(): UseQueryResult<DrillList> {
  return useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => getJson(PATH, DrillList, { signal }),
    refetchInterval: ({ state }) => (state.data?.items.some(({ run }) => isUnderWay(run)) === true ? 1000 : 10_000),
  });
}

/** Breaks or unbreaks; the answer is shown at once. */
export function useDrillAction(name: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (action: "break" | "unbreak") =>
      getJson(`${PATH}/${encodeURIComponent(name)}`, DrillRun, { method: action === "break" ? "POST" : "DELETE" }),
    onSuccess: (run) => noteDrillRun(client, run),
  });
}

/** Puts a newer state of a run where the pages see it. */
export function noteDrillRun(client: QueryClient, run: DrillRun): void {
  client.setQueryData<DrillList>(KEY, (list) =>
    list === undefined
      ? list
      : { items: list.items.map((drill) => (drill.name === run.drill ? { ...drill, run } : drill)) },
  );
}
