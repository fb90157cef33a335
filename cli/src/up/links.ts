import { readFile } from "node:fs/promises";
import type { FastifyInstance } from "fastify";
import { TocsinError } from "@tocsin/platform";

/**
 * Where the links inside alerts lead: `/graph?g0.expr=…`, which Prometheus puts into `generatorURL`, to the metrics page,
 * and `/runbooks/<alert>` to that alert's section of the runbooks.
 */
export function linksApi(app: FastifyInstance, options: { runbooks: string }): void {
  app.get("/graph", (request, reply) => {
    const given = new URL(request.url, "http://localhost").searchParams;
    const wanted = new URLSearchParams();
    for (const [name, value] of given) if (/^g\d+\.expr$/.test(name)) wanted.append("e", value);
    return reply.redirect(`/metrics?${wanted.toString()}`, 302);
  });
  app.get<{ Params: { alert: string } }>("/runbooks/:alert", async (request, reply) => {
    const { alert } = request.params;
    const section = findSection(await readFile(options.runbooks, "utf8"), alert);
    if (section === undefined) throw new TocsinError("TOCSIN_NOT_FOUND", `there is no runbook for ${alert}`);
    return reply
      .type("text/html; charset=utf-8")
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
      .send(page(alert, section));
  });
}

/** The text below a second-level heading of a Markdown file. */
function findSection(markdown: string, heading: string): string | undefined {
  const sections = markdown.split(/^## +/m).slice(1);
  const found = sections.find((section) => section.split("\n", 1)[0]?.trim() === heading);
  return found?.slice(found.indexOf("\n")).trim();
}

function page(title: string, text: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(title)} · runbook</title>
<style>body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; font: 15px/1.6 system-ui, sans-serif } pre { font: inherit; white-space: pre-wrap }</style>
<h1>${escapeHtml(title)}</h1>
<pre>${escapeHtml(text)}</pre>
<p><a href="/alerts?q=${encodeURIComponent(`alertname=${title}`)}">Its alerts now</a></p>
</html>
`;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
