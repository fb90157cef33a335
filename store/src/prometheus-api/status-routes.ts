import { availableParallelism, hostname } from "node:os";
import { ApiError } from "./api-error.ts";
import type { Route } from "./route.ts";

/** The Prometheus release whose API this is; clients decide by it what they may ask. */
const COMPATIBLE_VERSION = "3.15.0";

/** What this server is and how it does. */
export const statusRoutes: readonly Route[] = [
  {
    path: "status/buildinfo",
    answer: ({ version }) => ({
      data: {
        version: COMPATIBLE_VERSION,
        revision: `tocsin-${version}`,
        branch: "",
        buildUser: "tocsin",
        buildDate: "",
        goVersion: process.version,
      },
    }),
  },
  {
    path: "status/runtimeinfo",
    async answer({ store, clock, startedMs, retention }) {
      const { corruptBlocks } = await store.stats();
      return {
        data: {
          startTime: new Date(startedMs).toISOString(),
          CWD: process.cwd(),
          hostname: hostname(),
          serverTime: new Date(clock.now()).toISOString(),
          reloadConfigSuccess: true,
          lastConfigTime: new Date(startedMs).toISOString(),
          corruptionCount: corruptBlocks,
          goroutineCount: 0,
          GOMAXPROCS: availableParallelism(),
          GOMEMLIMIT: 0,
          GOGC: "",
          GODEBUG: "",
          storageRetention: retention,
        },
      };
    },
  },
  { path: "status/flags", answer: ({ flags }) => ({ data: flags() }) },
  { path: "status/config", answer: ({ configText }) => ({ data: { yaml: configText() } }) },
  {
    path: "status/tsdb",
    async answer({ parameters, store }) {
      const text = parameters.text("limit");
      const limit = text === "" ? 10 : Number(text);
      if (!Number.isInteger(limit) || limit < 1) throw new ApiError("bad_data", "limit must be a positive number");
      const [stats, { labelPairs, ...lists }] = await Promise.all([store.stats(), store.cardinality(limit)]);
      return {
        data: {
          headStats: {
            numSeries: stats.activeSeries,
            numLabelPairs: labelPairs,
            chunkCount: stats.activeSeries,
            minTime: stats.oldestMs ?? 0,
            maxTime: stats.newestMs ?? 0,
          },
          ...lists,
        },
      };
    },
  },
  { path: "status/walreplay", answer: () => ({ data: { min: 0, max: 0, current: 0, state: "done" } }) },
];
