import { changes, resets } from "./changes.ts";
import * as overTime from "./over-time.ts";
import { delta, idelta, increase, irate, rate } from "./rate.ts";
import { deriv, doubleExponentialSmoothing, predictLinear } from "./regression.ts";
import type { RangeFunction } from "./window.ts";

/** Every function over a range vector. */
export const RANGE_FUNCTIONS: ReadonlyMap<string, RangeFunction> = new Map(
  Object.entries({
    absent_over_time: overTime.presentOverTime,
    avg_over_time: overTime.avgOverTime,
    changes,
    count_over_time: overTime.countOverTime,
    delta,
    deriv,
    double_exponential_smoothing: doubleExponentialSmoothing,
    first_over_time: overTime.firstOverTime,
    idelta,
    increase,
    irate,
    last_over_time: overTime.lastOverTime,
    mad_over_time: overTime.madOverTime,
    max_over_time: overTime.maxOverTime,
    min_over_time: overTime.minOverTime,
    predict_linear: predictLinear,
    present_over_time: overTime.presentOverTime,
    quantile_over_time: overTime.quantileOverTime,
    rate,
    resets,
    stddev_over_time: overTime.stddevOverTime,
    stdvar_over_time: overTime.stdvarOverTime,
    sum_over_time: overTime.sumOverTime,
    ts_of_first_over_time: overTime.timeOfFirstOverTime,
    ts_of_last_over_time: overTime.timeOfLastOverTime,
    ts_of_max_over_time: overTime.timeOfMaxOverTime,
    ts_of_min_over_time: overTime.timeOfMinOverTime,
  }),
);

/** Functions that understand samples outside their range. */
export const ANCHORED_FUNCTIONS: readonly string[] = ["changes", "delta", "increase", "rate", "resets"];
export const SMOOTHED_FUNCTIONS: readonly string[] = ["delta", "increase", "rate"];

/** Functions whose result is a sample as it was, so that its metric keeps its name. */
export const NAME_KEEPING: ReadonlySet<string> = new Set(["first_over_time", "last_over_time"]);

/** Functions that look at start timestamps where these are in use. */
export const START_TIME_FUNCTIONS: ReadonlySet<string> = new Set(["increase", "irate", "rate", "resets"]);
