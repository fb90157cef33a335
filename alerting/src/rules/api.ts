import { createHash } from "node:crypto";
import { formatFloat } from "@tocsin/gotemplate";
import { type CompiledMatcher, compileMatchers, type Labels, matchesAll, type UnixMs } from "@tocsin/model";
import { errorMessage } from "@tocsin/platform";
import { parseSelector } from "@tocsin/promql";
import type { FastifyInstance } from "fastify";
import type { RuleAlert } from "./evaluate.ts";
import type { GroupSnapshot, RuleSnapshot } from "./rule-group.ts";
import type { RuleManager } from "./rule-manager.ts";

const NEVER = "0001-01-01T00:00:00Z";

/** A parameter that cannot be understood. */
class BadParameter extends Error {
  constructor(name: string, reason: string) {
    super(`invalid parameter ${JSON.stringify(name)}: ${reason}`);
  }
}

/** Serves Prometheus' `/api/v1/rules`, `/api/v1/alerts` and `/api/v1/alertmanagers`. */
export async function rulesApi(app: FastifyInstance, options: { manager: RuleManager }): Promise<void> {
  const { manager } = options;
  app.get("/api/v1/rules", async (request, reply) => {
    try {
      return { status: "success", data: listRules(manager.groups(), readQuery(request.url)) };
    } catch (error) {
      if (!(error instanceof BadParameter)) throw error;
      return reply.code(400).send({ status: "error", errorType: "bad_data", error: error.message });
    }
  });
  app.get("/api/v1/alerts", async () => ({
    status: "success",
    data: { alerts: manager.groups().flatMap(({ rules }) => rules.flatMap(({ alerts }) => alerts.map(alertJson))) },
  }));
  app.get("/api/v1/alertmanagers", async () => ({
    status: "success",
    data: {
      activeAlertmanagers: manager.alertmanagers.map((url) => ({ url })),
      droppedAlertmanagers: [],
    },
  }));
}

interface RulesQuery {
  type: "alert" | "record" | undefined;
  names: Set<string>;
  groups: Set<string>;
  files: Set<string>;
  matchers: CompiledMatcher[][];
  excludeAlerts: boolean;
  limit: number;
  nextToken: string;
}

function readQuery(url: string): RulesQuery {
  const query = new URL(url, "http://localhost").searchParams;
  const type = (query.get("type") ?? "").toLowerCase();
  if (type !== "" && type !== "alert" && type !== "record")
    throw new BadParameter("type", `not supported value ${JSON.stringify(type)}`);
  const limit = query.get("group_limit");
  const nextToken = query.get("group_next_token") ?? "";
  if (nextToken !== "" && limit === null)
    throw new BadParameter("group_next_token", "group_limit needs to be present in order to paginate over the groups");
  if (limit !== null && !/^\d+$/.test(limit))
    throw new BadParameter("group_limit", `group_limit needs to be a valid number: ${JSON.stringify(limit)}`);
  if (limit !== null && Number(limit) === 0)
    throw new BadParameter("group_limit", "group_limit needs to be greater than 0");
  return {
    type: type === "" ? undefined : type,
    names: new Set(query.getAll("rule_name[]")),
    groups: new Set(query.getAll("rule_group[]")),
    files: new Set(query.getAll("file[]")),
    matchers: query.getAll("match[]").map(readMatchers),
    excludeAlerts: readBoolean("exclude_alerts", query.get("exclude_alerts")),
    limit: Number(limit ?? 0),
    nextToken,
  };
}

function readMatchers(text: string): CompiledMatcher[] {
  try {
    return compileMatchers(parseSelector(text).matchers);
  } catch (error) {
    throw new BadParameter("match[]", errorMessage(error));
  }
}

function readBoolean(name: string, text: string | null): boolean {
  if (text === null || text === "") return false;
  if (/^(1|t|true)$/i.test(text)) return true;
  if (/^(0|f|false)$/i.test(text)) return false;
  throw new BadParameter(name, `error converting ${JSON.stringify(text)} to a boolean`);
}

function listRules(groups: readonly GroupSnapshot[], query: RulesQuery): object {
  const listed: object[] = [];
  let found = query.nextToken === "";
  let groupNextToken: string | undefined;
  for (const group of groups) {
    found ||= query.nextToken === groupToken(group);
    if (!found || !isWanted(query.groups, group.config.name) || !isWanted(query.files, group.config.file)) continue;
    const rules = group.rules.filter((rule) => matchesQuery(rule, query));
    if (rules.length === 0) continue;
    if (query.limit > 0 && listed.length >= query.limit) {
      groupNextToken = groupToken(group);
      break;
    }
    listed.push(groupJson(group, rules, query.excludeAlerts));
  }
  if (!found)
    throw new BadParameter(
      "group_next_token",
      `invalid group_next_token '${query.nextToken}'. were rule groups changed?`,
    );
  return { groups: listed, ...(groupNextToken === undefined ? {} : { groupNextToken }) };
}

const isWanted = (wanted: ReadonlySet<string>, name: string) => wanted.size === 0 || wanted.has(name);

function matchesQuery({ rule }: RuleSnapshot, query: RulesQuery): boolean {
  if (query.type === "alert" && rule.kind !== "alerting") return false;
  if (query.type === "record" && rule.kind !== "recording") return false;
  if (!isWanted(query.names, rule.name)) return false;
  return query.matchers.length === 0 || query.matchers.some((matchers) => matchesAll(matchers, rule.labels));
}

const groupToken = ({ config }: GroupSnapshot) =>
  createHash("sha1").update(`${config.file};${config.name}`).digest("hex");

function groupJson(group: GroupSnapshot, rules: readonly RuleSnapshot[], excludeAlerts: boolean): object {
  return {
    name: group.config.name,
    file: group.config.file,
    rules: rules.map((rule) => ruleJson(rule, excludeAlerts)),
    interval: group.config.intervalMs / 1000,
    limit: group.config.limit,
    evaluationTime: group.evaluationSeconds,
    lastEvaluation: timeJson(group.lastEvaluationMs),
  };
}

function ruleJson(snapshot: RuleSnapshot, excludeAlerts: boolean): object {
  const { rule } = snapshot;
  const common = {
    name: rule.name,
    query: rule.query,
    labels: rule.labels,
    health: snapshot.health,
    ...(snapshot.lastError === undefined ? {} : { lastError: snapshot.lastError }),
    evaluationTime: snapshot.evaluationSeconds,
    lastEvaluation: timeJson(snapshot.lastEvaluationMs),
  };
  if (rule.kind === "recording") return { ...common, type: "recording" };
  return {
    state: snapshot.state,
    ...common,
    duration: rule.forMs / 1000,
    keepFiringFor: rule.keepFiringForMs / 1000,
    annotations: rule.annotations,
    alerts: excludeAlerts ? [] : snapshot.alerts.map(alertJson),
    type: "alerting",
  };
}

function alertJson(alert: RuleAlert): { labels: Labels } & Record<string, unknown> {
  return {
    labels: alert.labels,
    annotations: alert.annotations,
    state: alert.state,
    activeAt: timeJson(alert.activeAtMs),
    ...(alert.keepFiringSinceMs === undefined ? {} : { keepFiringSince: timeJson(alert.keepFiringSinceMs) }),
    value: formatFloat(alert.value, "e", -1),
  };
}

const timeJson = (ms: UnixMs | undefined): string => (ms === undefined ? NEVER : new Date(ms).toISOString());
