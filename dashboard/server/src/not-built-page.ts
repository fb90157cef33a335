const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** What stands in for the dashboard while its files are not there: what is missing, and the command that makes it. */
export function notBuiltPage(webRoot: string, nonce: string): string {
  const folder = webRoot.replace(/[&<>"]/g, (char) => ESCAPES[char] ?? char);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Tocsin: the dashboard is not built</title>
<style nonce="${nonce}">
  :root { color-scheme: light dark }
  body { max-width: 60ch; margin: 10vh auto; padding: 0 16px; font: 15px/1.6 system-ui, sans-serif }
  code { font-family: ui-monospace, monospace }
</style>
<h1>The dashboard is not built</h1>
<p>Tocsin runs, but there is no <code>index.html</code> in <code>${folder}</code>.</p>
<p>Build it, then reload this page:</p>
<pre><code>npm run build -w @tocsin/dashboard-web</code></pre>
<p>The APIs work without it: <a href="/api/v1/status/buildinfo">/api/v1</a>, <a href="/api/v2/status">/api/v2</a>, <a href="/metrics">/metrics</a>.</p>
</html>
`;
}
