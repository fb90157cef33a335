/** An alert's expression taken apart at its outermost comparison with a number, so that value and limit can be drawn. */
export interface Threshold {
  expression: string;
  limit: number;
}

const COMPARISON = /^(.*?)\s*(?:>=?|<=?|==|!=)\s*(?:bool\s+)?([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)$/is;

/** `rate(x[1m]) > 0.5` → its left side and 0.5; undefined when the expression does not end in such a comparison. */
export function thresholdOf(query: string): Threshold | undefined {
  const [, expression, limit] = COMPARISON.exec(query.trim()) ?? [];
  if (expression === undefined || limit === undefined || !isWhole(expression)) return undefined;
  if (/\b(?:and|or|unless)\b/i.test(outside(expression))) return undefined;
  return { expression, limit: Number(limit) };
}

/** Whether every bracket that opens also closes. */
function isWhole(text: string): boolean {
  let depth = 0;
  for (const char of text.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, "")) {
    if ("([{".includes(char)) depth++;
    if (")]}".includes(char)) depth--;
    if (depth < 0) return false;
  }
  return depth === 0;
}

/** What is outside of all brackets. */
function outside(text: string): string {
  let depth = 0;
  let rest = "";
  for (const char of text) {
    if ("([{".includes(char)) depth++;
    if (depth === 0) rest += char;
    if (")]}".includes(char)) depth--;
  }
  return rest;
}
