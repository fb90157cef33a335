import { DrillRun } from "@tocsin/model";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { noteDrillRun } from "./drills.ts";

/** Milliseconds over which decisions are gathered before the pages ask again: one flush brings many at once. */
const GATHER_MS = 300;

/** Listens to what changed and refreshes what shows it. Answers whether the stream is connected. */
export function useEvents(): boolean {
  const client = useQueryClient();
  const [connected, setConnected] = useState(false);
  useEffect(() => {
    const source = new EventSource("/api/tocsin/v1/events");
    let gathering: ReturnType<typeof setTimeout> | undefined;
    const refresh = () => {
      gathering = undefined;
      for (const queryKey of [["decisions"], ["alerts"], ["rules"]]) void client.invalidateQueries({ queryKey });
    };
    let interrupted = false;
    source.addEventListener("open", () => {
      setConnected(true);
      // What happened meanwhile was not told.
      if (interrupted) void client.invalidateQueries();
      interrupted = false;
    });
    source.addEventListener("error", () => {
      setConnected(false);
      interrupted = true;
    });
    source.addEventListener("decision", () => {
      gathering ??= setTimeout(refresh, GATHER_MS);
    });
    source.addEventListener("inbox", () => void client.invalidateQueries({ queryKey: ["inbox", "list"] }));
    source.addEventListener("drill", (event: MessageEvent<string>) => {
      const run = DrillRun.safeParse(JSON.parse(event.data));
      if (run.success) noteDrillRun(client, run.data);
    });
    return () => {
      clearTimeout(gathering);
      source.close();
    };
  }, [client]);
  return connected;
}
