import {
  compareMatchers,
  compareStrings,
  compileMatchers,
  formatMatchers,
  goQuote,
  matchesAll,
  sortedNames,
  type CompiledMatcher,
  type Labels,
  type Matcher,
} from "@tocsin/model";
import type { RouteConfig } from "./config/schema.ts";

/** How the alerts of a route are grouped and when they are sent. */
interface RouteOptions {
  readonly receiver: string;
  /** Label names, or every label of the alert. */
  readonly groupBy: readonly string[] | "all";
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatIntervalMs: number;
  /** Values may be templates. */
  readonly labels: Labels;
  readonly muteTimeIntervals: readonly string[];
  readonly activeTimeIntervals: readonly string[];
}

/** A node of the routing tree; it knows nothing of time. */
export interface Route {
  /** Position in the tree, depth first; tells sibling routes with equal matchers apart. */
  readonly index: number;
  /** `{m1,m2}` of every ancestor and itself, joined by `/`. */
  readonly key: string;
  readonly options: RouteOptions;
  readonly matchers: readonly CompiledMatcher[];
  readonly continue: boolean;
  readonly children: readonly Route[];
}

const ROOT_OPTIONS: RouteOptions = {
  receiver: "",
  groupBy: [],
  groupWaitMs: 30_000,
  groupIntervalMs: 5 * 60_000,
  repeatIntervalMs: 4 * 3_600_000,
  labels: {},
  muteTimeIntervals: [],
  activeTimeIntervals: [],
};

/** Builds the tree from a checked configuration. */
export function buildRouteTree(config: RouteConfig): Route {
  let index = 0;
  const build = (node: RouteConfig, parent: Route | undefined): Route => {
    const matchers = routeMatchers(node);
    const own = formatMatchers(matchers.toSorted(compareMatchers));
    const route: Route = {
      index: index++,
      key: parent === undefined ? own : `${parent.key}/${own}`,
      options: inherit(node, parent?.options ?? ROOT_OPTIONS),
      matchers: compileMatchers(matchers),
      continue: node.continue ?? false,
      children: [],
    };
    (route.children as Route[]).push(...(node.routes ?? []).map((child) => build(child, route)));
    return route;
  };
  return build(config, undefined);
}

function routeMatchers(node: Pick<RouteConfig, "match" | "match_re" | "matchers">): Matcher[] {
  return [...fromMap(node.match, "="), ...fromMap(node.match_re, "=~"), ...(node.matchers ?? [])];
}

export function fromMap(map: Labels | undefined, type: "=" | "=~"): Matcher[] {
  return Object.entries(map ?? {}).map(([name, value]) => ({ name, type, value }));
}

/** Matchers, `continue` and time intervals are a node's own; the rest comes from above. */
function inherit(node: RouteConfig, parent: RouteOptions): RouteOptions {
  return {
    receiver: node.receiver || parent.receiver,
    groupBy: node.group_by === undefined ? parent.groupBy : node.group_by.includes("...") ? "all" : node.group_by,
    groupWaitMs: node.group_wait ?? parent.groupWaitMs,
    groupIntervalMs: node.group_interval ?? parent.groupIntervalMs,
    repeatIntervalMs: node.repeat_interval ?? parent.repeatIntervalMs,
    labels: { ...parent.labels, ...node.labels },
    muteTimeIntervals: node.mute_time_intervals ?? [],
    activeTimeIntervals: node.active_time_intervals ?? [],
  };
}

/**
 * The routes that an alert takes: depth first, in order. A matching child ends the search among its siblings unless it
 * has `continue: true`; a node is itself a result only when no child matched.
 */
export function matchRoutes(route: Route, labels: Labels): Route[] {
  if (!matchesAll(route.matchers, labels)) return [];
  const found: Route[] = [];
  for (const child of route.children) {
    const matches = matchRoutes(child, labels);
    found.push(...matches);
    if (matches.length > 0 && !child.continue) break;
  }
  return found.length > 0 ? found : [route];
}

/** The labels that make an alert's group on a route; one that the alert lacks is absent. */
export function groupLabels(route: Route, labels: Labels): Labels {
  const { groupBy } = route.options;
  if (groupBy === "all") return labels;
  const names = groupBy.filter((name) => labels[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, labels[name] as string]));
}

/** `<route key>:{a="x", b="y"}`: what receivers, logs and the API know the group by. */
export function groupKey(route: Route, labels: Labels): string {
  const pairs = sortedNames(labels).map((name) => `${name}=${goQuote(labels[name] as string)}`);
  return `${route.key}:{${pairs.join(", ")}}`;
}

/** Every route of the tree, depth first. */
export function* walkRoutes(route: Route): Generator<Route> {
  yield route;
  for (const child of route.children) yield* walkRoutes(child);
}

/** By job, then instance (those without come last), then all labels: the order of alerts within a group. */
export function compareAlertLabels(a: Labels, b: Labels): number {
  for (const name of ["job", "instance"]) {
    const x = a[name];
    const y = b[name];
    if (x === y) continue;
    if (x === undefined) return 1;
    if (y === undefined) return -1;
    return compareStrings(x, y);
  }
  return compareLabelSets(a, b);
}

/**
 * Fewer labels first; else the first name, in order, that is not the same in both decides: a set without it comes
 * first, then the smaller value. So does Go's model.LabelSet.
 */
export function compareLabelSets(a: Labels, b: Labels): number {
  const names = sortedNames(a);
  const others = sortedNames(b);
  if (names.length !== others.length) return names.length - others.length;
  for (const [i, name] of names.entries()) {
    const other = others[i] as string;
    if (name !== other) return compareStrings(other, name);
    const order = compareStrings(a[name] as string, b[name] as string);
    if (order !== 0) return order;
  }
  return 0;
}
