import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import { CONTENT_TYPE, exposition, negotiate } from "./exposition.ts";

export const METRICS_PATH = "/metrics";

/** Answers a scrape. `registries` is asked each time: the app may load its metrics client late. */
export async function answerScrape(
  request: IncomingMessage,
  response: ServerResponse,
  registries: () => readonly Registry[],
): Promise<void> {
  const format = negotiate(request.headers.accept);
  try {
    const body = await exposition(registries(), format);
    response.writeHead(200, { "content-type": CONTENT_TYPE[format], "content-length": Buffer.byteLength(body) });
    response.end(request.method === "HEAD" ? undefined : body);
  } catch (error) {
    // A collect function of the app has thrown; the scraper should see which.
    const reason = error instanceof Error ? error.message : String(error);
    response.writeHead(500, { "content-type": "text/plain; charset=utf-8" }).end(`cannot collect metrics: ${reason}\n`);
  }
}

/** Serves the metrics on a port of their own, for a process without an HTTP server. Does not keep it alive. */
export function serveMetrics(
  address: { host: string; port: number },
  registries: () => readonly Registry[],
  onError: (error: Error) => void,
): Disposable {
  const server = http.createServer((request, response) => {
    const [path] = (request.url ?? "").split("?");
    if (path === METRICS_PATH) void answerScrape(request, response, registries);
    else response.writeHead(404).end();
  });
  server.on("error", onError);
  server.on("connection", (socket) => socket.unref());
  server.listen(address.port, address.host).unref();
  return {
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
