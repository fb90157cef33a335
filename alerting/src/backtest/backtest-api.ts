import type { FastifyInstance } from "fastify";
import { type BacktestAnswer, BacktestRequest, parseTime } from "@tocsin/model";
import { type Clock, ConfigError, errorMessage, parseRequest, TocsinError } from "@tocsin/platform";
import { parseRouterConfig } from "../config/load.ts";
import { checkLocation } from "../mute/time-interval.ts";
import type { Silence } from "../mute/silence.ts";
import { integrations } from "../notify/integrations.ts";
import { parseRuleFile, type RuleGroupConfig } from "../rules/rule-file.ts";
import { backtest } from "./backtest.ts";
import type { HistorySource } from "./history-source.ts";
import type { Routing } from "./replay.ts";
import { withoutTemplateFiles } from "./without-template-files.ts";

const TIME_LIMIT_MS = 60_000;
const RULE_DEFAULTS = { evaluationIntervalMs: 60_000, queryOffsetMs: 0 };
const BODY_LIMIT = 4 * 1024 * 1024;

export interface BacktestApiOptions {
  readonly history: HistorySource;
  /** The rules in force. */
  readonly rules: () => readonly RuleGroupConfig[];
  /** The routing in force. */
  readonly routing: () => Routing;
  readonly silences: () => Iterable<Silence>;
  readonly externalUrl: string;
  readonly clock: Clock;
}

/** `POST /api/tocsin/v1/backtest` as a Fastify plugin, to be registered without prefix. One runs at a time. */
export async function backtestApi(app: FastifyInstance, options: BacktestApiOptions): Promise<void> {
  let running = false;
  app.post("/api/tocsin/v1/backtest", { bodyLimit: BODY_LIMIT }, async ({ body }, reply): Promise<BacktestAnswer> => {
    const request = parseRequest(BacktestRequest, body);
    if (running) throw new TocsinError("TOCSIN_OVERLOADED", "another backtest runs; try again when it is done");
    running = true;
    const abort = new AbortController();
    const limit = options.clock.schedule(TIME_LIMIT_MS, () =>
      abort.abort(
        new TocsinError(
          "TOCSIN_TOO_LARGE",
          `the backtest took longer than ${TIME_LIMIT_MS / 1000} s: shorten the time`,
        ),
      ),
    );
    const onGone = () => abort.abort(new TocsinError("TOCSIN_STOPPING", "the client has gone"));
    reply.raw.once("close", onGone);
    try {
      return await answer(request, options, abort.signal);
    } catch (error) {
      throw abort.signal.aborted ? (abort.signal.reason as Error) : asBadRequest(error);
    } finally {
      running = false;
      limit[Symbol.dispose]();
      reply.raw.off("close", onGone);
    }
  });
}

async function answer(
  request: BacktestRequest,
  options: BacktestApiOptions,
  signal: AbortSignal,
): Promise<BacktestAnswer> {
  const { clock, history, externalUrl } = options;
  const now = clock.now();
  const presentRules = options.rules();
  const presentRouting = options.routing();
  const { configFile: _, configText: __, ...mode } = presentRouting;
  return backtest({
    rules:
      request.rules === undefined
        ? presentRules
        : request.rules.flatMap((text, i) => parseRuleFile(`rules.${i}`, text, RULE_DEFAULTS).groups),
    presentRules: request.rules === undefined && request.routing === undefined ? [] : presentRules,
    routing: request.routing === undefined ? presentRouting : { ...mode, ...postedRouting(request.routing) },
    presentRouting,
    silences: request.silences ? [...options.silences()] : [],
    fromMs: readTime("from", request.from, now),
    toMs: readTime("to", request.to, now),
    timeZone: readTimeZone(request.timeZone),
    history,
    externalUrl,
    clock,
    signal,
  });
}

/** Names no file of this machine, not even by a merge key. */
function postedRouting(text: string): Routing {
  const routing = { configFile: "routing", configText: withoutTemplateFiles(text) };
  const { templateFiles } = parseRouterConfig(routing.configFile, routing.configText, { integrations });
  if (templateFiles.length > 0)
    throw new TocsinError("TOCSIN_BAD_REQUEST", "routing: templates must be a plain key at the top level");
  return routing;
}

function readTime(name: string, text: string, now: number): number {
  try {
    return parseTime(text, now);
  } catch (error) {
    throw new TocsinError("TOCSIN_BAD_REQUEST", `${name}: ${errorMessage(error)}`);
  }
}

function readTimeZone(name: string): string {
  try {
    return checkLocation(name);
  } catch (error) {
    throw new TocsinError("TOCSIN_BAD_REQUEST", `timeZone: ${errorMessage(error)}`);
  }
}

/** The configuration came with the request, so that its mistakes are the request's. */
function asBadRequest(error: unknown): unknown {
  return error instanceof ConfigError ? new TocsinError("TOCSIN_BAD_REQUEST", error.message, { cause: error }) : error;
}
