/**
 * Where a link made for Prometheus' or Alertmanager's own pages leads here, as alert messages carry them:
 * `/graph?g0.expr=…`, `/#/alerts?receiver=…`, `/#/silences/new?filter=…`. Undefined for every other address.
 */
export function translateForeign(address: URL): string | undefined {
  if (address.pathname === "/graph") {
    const own = new URLSearchParams();
    for (const [name, value] of address.searchParams) if (/^g\d+\.expr$/.test(name)) own.append("e", value);
    return `/metrics?${own.toString()}`;
  }
  const [, path, query = ""] = /^#\/(alerts|silences(?:\/new)?|status)?(?:\?(.*))?$/.exec(address.hash) ?? [];
  if (path === undefined) return undefined;
  const params = new URLSearchParams(query);
  if (path === "alerts") return `/alerts${search({ q: alertQuery(params) })}`;
  if (path.startsWith("silences")) return `/silences${search({ m: params.get("filter") ?? "" })}`;
  return "/";
}

function alertQuery(params: URLSearchParams): string {
  const receiver = params.get("receiver");
  const parts = [params.get("filter") ?? "", receiver === null ? "" : `@receiver=${JSON.stringify(receiver)}`];
  return parts
    .map((part) => part.replace(/^\{(.*)\}$/, "$1"))
    .filter(Boolean)
    .join(" ");
}

function search(own: Record<string, string>): string {
  const params = new URLSearchParams(Object.entries(own).filter(([, value]) => value !== ""));
  return params.size === 0 ? "" : `?${params.toString()}`;
}
