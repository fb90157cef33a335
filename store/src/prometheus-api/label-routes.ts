import { compareLabels, compareStrings } from "@tocsin/model";
import { ApiError } from "./api-error.ts";
import { limited } from "./envelope.ts";
import { type Parameters, unescapeLabelName } from "./parameters.ts";
import type { Route } from "./route.ts";

/** What is there: series, labels, metadata. */
export const labelRoutes: readonly Route[] = [
  {
    path: "series",
    post: true,
    async answer({ parameters, store }) {
      if (parameters.all("match[]").length === 0) throw new ApiError("bad_data", "no match[] parameter provided");
      const limit = parameters.limit();
      return limited((await store.series(parameters.scope())).sort(compareLabels), limit);
    },
  },
  {
    path: "labels",
    post: true,
    async answer({ parameters, store }) {
      const limit = parameters.limit();
      return limited((await store.labelNames(parameters.scope())).sort(compareStrings), limit);
    },
  },
  {
    path: "label/:name/values",
    async answer({ parameters, path, store }) {
      const name = unescapeLabelName(path["name"] ?? "");
      if (name === "") throw new ApiError("bad_data", 'invalid label name: ""');
      const limit = parameters.limit();
      return limited((await store.labelValues(name, parameters.scope())).sort(compareStrings), limit);
    },
  },
  {
    path: "metadata",
    async answer({ parameters, store }) {
      const limit = wholeNumber(parameters, "limit");
      const perMetric = wholeNumber(parameters, "limit_per_metric");
      const metric = parameters.text("metric");
      const found = await store.metadata(metric === "" ? undefined : metric);
      const kept = limit < 0 ? found : found.slice(0, limit);
      const entries = kept.flatMap((variants) => {
        const list = perMetric > 0 ? variants.slice(0, perMetric) : variants;
        const [first] = list;
        return first ? [[first.metric, list.map(({ type, unit, help }) => ({ type, unit, help }))] as const] : [];
      });
      return { data: Object.fromEntries(entries) };
    },
  },
];

/** -1 when it is missing. */
function wholeNumber(parameters: Parameters, name: string): number {
  const text = parameters.text(name);
  if (text === "") return -1;
  if (!/^[+-]?\d+$/.test(text)) throw new ApiError("bad_data", `${name} must be a number`);
  return Number(text);
}
