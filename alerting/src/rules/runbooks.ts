import { readFile } from "node:fs/promises";
import { escapeHtml } from "@tocsin/gotemplate";
import type { FastifyInstance } from "fastify";

/** The sections of a Markdown file by the text of their `##` heading. */
export function runbookSections(markdown: string): Map<string, string> {
  const parts = markdown.split(/^## +(.+)$/m).slice(1);
  const sections = new Map<string, string>();
  for (let i = 0; i + 1 < parts.length; i += 2) sections.set((parts[i] ?? "").trim(), (parts[i + 1] ?? "").trim());
  return sections;
}

/** Serves `/runbooks/:alert` from a Markdown file with one section for each alert; read anew for each request. */
export async function runbooks(app: FastifyInstance, options: { file: string }): Promise<void> {
  app.get<{ Params: { alert: string } }>("/runbooks/:alert", async (request, reply) => {
    const section = runbookSections(await readFile(options.file, "utf8")).get(request.params.alert);
    const title = escapeHtml(request.params.alert);
    const body = section === undefined ? "<p>There is no runbook for this alert.</p>" : renderSection(section);
    return reply
      .code(section === undefined ? 404 : 200)
      .type("text/html; charset=utf-8")
      .header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
      .send(
        `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
          `<title>${title} – runbook</title><style>body{font:1rem/1.6 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}code{font-size:.9em}</style>` +
          `<h1>${title}</h1>${body}</html>`,
      );
  });
}

/** Paragraphs, numbered lists and code: all that runbooks use. */
function renderSection(markdown: string): string {
  return markdown
    .split(/\n{2,}/)
    .map((block) => {
      const items = block.split("\n").map((line) => /^\d+\. (.*)$/.exec(line)?.[1]);
      if (items.every((item) => item !== undefined))
        return `<ol>${items.map((item) => `<li>${renderText(item)}</li>`).join("")}</ol>`;
      return `<p>${renderText(block)}</p>`;
    })
    .join("");
}

const renderText = (text: string) => escapeHtml(text).replaceAll(/`([^`]+)`/g, "<code>$1</code>");
