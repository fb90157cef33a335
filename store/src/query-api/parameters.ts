import { parseQuery, parseTime, type SearchTarget } from "@tocsin/model";
import { errorMessage, type Clock } from "@tocsin/platform";
import { z } from "zod";

const DEFAULT_FROM = "now-1h";

/** `from` and `to` as RFC 3339, Unix seconds or `now-15m`; the last hour unless said otherwise. */
export function rangeParameters(clock: Clock) {
  const time = z.string().transform((text, context) => {
    try {
      return parseTime(text, clock.now());
    } catch (error) {
      context.addIssue({ code: "custom", message: errorMessage(error) });
      return z.NEVER;
    }
  });
  return { from: time.prefault(DEFAULT_FROM), to: time.prefault("now") };
}

/** Read after the parameters are known: an empty or turned range is a mistake. */
export const isRange = ({ from, to }: { from: number; to: number }): boolean => from < to;
export const RANGE_MISTAKE = { path: ["from"], message: "must be before to" };

/** A search in the language of the search box; a mistake says at which character. */
export function searchParameter(target: SearchTarget) {
  return z
    .string()
    .default("")
    .transform((text, context) => {
      try {
        return parseQuery(text, target);
      } catch (error) {
        context.addIssue({ code: "custom", message: errorMessage(error) });
        return z.NEVER;
      }
    });
}

/** A whole number in a query string. */
export const whole = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d+$/, "must be a whole number")
    .transform(Number)
    .pipe(z.number().min(min).max(max))
    .prefault(String(fallback));
