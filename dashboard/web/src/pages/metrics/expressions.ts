/** The expressions of the page, `e` once each in the address; always at least one, be it empty. */
export function readExpressions(params: URLSearchParams): string[] {
  const list = params.getAll("e").slice(0, MOST_EXPRESSIONS);
  return list.length > 0 ? list : [""];
}

export const MOST_EXPRESSIONS = 6;

export function writeExpressions(params: URLSearchParams, expressions: readonly string[]): URLSearchParams {
  const next = new URLSearchParams(params);
  next.delete("e");
  const kept = expressions.length === 1 && expressions[0] === "" ? [] : expressions;
  for (const expression of kept) next.append("e", expression);
  return next;
}

/** What one would ask of a metric first: the rate of a counter, the 95th percentile of a histogram, else its value. */
export function startingExpression(name: string, type: string): string {
  if (type === "counter") return `rate(${name}[1m])`;
  if (type === "histogram") return `histogram_quantile(0.95, sum by (le) (rate(${name}_bucket[1m])))`;
  return name;
}

/** The place a server's message names, `1:5: parse error: …`; line and column from 1. */
export function placeInError(message: string): { line: number; column: number } | undefined {
  const [, line, column] = /(?:^|\s)(\d+):(\d+): /.exec(message) ?? [];
  return line === undefined || column === undefined ? undefined : { line: Number(line), column: Number(column) };
}

/** The text before, at and after a place; at the end of the text the marked part is empty. */
export function markPlace(
  text: string,
  { line, column }: { line: number; column: number },
): { before: string; marked: string; after: string } {
  const lines = text.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
  const marked = /^\w+|^./.exec(text.slice(start))?.[0] ?? "";
  return { before: text.slice(0, start), marked, after: text.slice(start + marked.length) };
}
