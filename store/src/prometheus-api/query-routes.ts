import { exprToJson, formatExpr, formatValue, parseExpr, vectorSelectors } from "@tocsin/promql";
import type { AskOptions } from "../metrics/metric-store.ts";
import { ApiError, invalidParameter } from "./api-error.ts";
import type { Parameters } from "./parameters.ts";
import type { Route, RouteContext } from "./route.ts";

const MAX_POINTS = 11_000;

/** Everything that takes a PromQL expression. */
export const queryRoutes: readonly Route[] = [
  {
    path: "query",
    post: true,
    async answer(context) {
      const { parameters, store, clock } = context;
      const limit = parameters.limit();
      const atMs = parameters.timeOr("time", clock.now());
      const options = askOptions(context);
      return {
        body: await store.instantJson(
          parameters.text("query"),
          atMs,
          { limit, stats: wantsStats(parameters) },
          options,
        ),
      };
    },
  },
  {
    path: "query_range",
    post: true,
    async answer(context) {
      const { parameters, store } = context;
      const limit = parameters.limit();
      const startMs = parameters.time("start");
      const endMs = parameters.time("end");
      if (endMs < startMs) throw invalidParameter("end", "end timestamp must not be before start time");
      const stepMs = parameters.duration("step");
      if (stepMs <= 0) {
        throw invalidParameter(
          "step",
          "zero or negative query resolution step widths are not accepted. Try a positive integer",
        );
      }
      if (Math.floor((endMs - startMs) / stepMs) > MAX_POINTS) {
        throw new ApiError(
          "bad_data",
          "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)",
        );
      }
      const json = { limit, stats: wantsStats(parameters) };
      return {
        body: await store.rangeJson(parameters.text("query"), startMs, endMs, stepMs, json, askOptions(context)),
      };
    },
  },
  {
    path: "format_query",
    post: true,
    answer: ({ parameters }) => ({ data: formatExpr(parseExpr(parameters.text("query"))) }),
  },
  {
    path: "parse_query",
    post: true,
    answer: ({ parameters }) => ({ data: exprToJson(parseExpr(parameters.text("query"))) }),
  },
  {
    path: "query_exemplars",
    post: true,
    async answer({ parameters, store }) {
      const { fromMs, toMs } = parameters.scope();
      if (toMs < fromMs) throw new ApiError("bad_data", "end timestamp must not be before start timestamp");
      const matcherSets = vectorSelectors(parseExpr(parameters.text("query"))).map(({ matchers }) => matchers);
      if (matcherSets.length === 0) return { data: [] };
      const found = await store.exemplars({ fromMs, toMs, matcherSets });
      return {
        data: found.map(({ labels, exemplars }) => ({
          seriesLabels: labels,
          exemplars: exemplars.map(({ labels, value, timestampMs }) => ({
            labels,
            value: formatValue(value),
            timestamp: timestampMs / 1000,
          })),
        })),
      };
    },
  },
];

function askOptions({ parameters, signal }: RouteContext): AskOptions {
  return { signal, timeoutMs: parameters.durationOr("timeout"), lookbackMs: parameters.lookbackMs() };
}

function wantsStats(parameters: Parameters): boolean {
  return parameters.text("stats") !== "";
}
