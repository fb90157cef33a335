import type { LogRecord, Span } from "@tocsin/model";
import { decodeLogs, decodeTraces, logsFromJson, tracesFromJson } from "@tocsin/model/otlp";
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync } from "node:zlib";

/** A collector that keeps what it gets, decoded, and lets tests wait for it. */
export class OtlpSink {
  readonly spans: Span[] = [];
  readonly logs: LogRecord[] = [];
  /** Path and headers of each request whose records were kept. */
  readonly requests: { path: string; headers: IncomingHttpHeaders }[] = [];
  /** When set, answers instead; the records are not kept then. */
  answer: RequestListener | undefined;
  readonly #server: Server;
  #waiting: { ready: () => boolean; resolve: () => void }[] = [];

  constructor() {
    this.#server = createServer((request, response) => {
      if (this.answer !== undefined) return this.answer(request, response);
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { url: path = "", headers } = request;
        this.requests.push({ path, headers });
        const sent = Buffer.concat(chunks);
        const body = headers["content-encoding"] === "gzip" ? gunzipSync(sent) : sent;
        if (headers["content-type"] === "application/json") this.#keepJson(path, JSON.parse(body.toString()));
        else if (path.endsWith("/traces")) this.spans.push(...decodeTraces(body));
        else this.logs.push(...decodeLogs(body));
        response.writeHead(200, { "content-type": headers["content-type"] }).end();
        this.#wake();
      });
    });
  }

  #keepJson(path: string, body: unknown): void {
    if (path.endsWith("/traces")) this.spans.push(...tracesFromJson(body));
    else this.logs.push(...logsFromJson(body));
  }

  async start(port = 0): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves as soon as `ready` holds for what has come in; the test's own time limit ends the wait otherwise. */
  until(ready: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ ready, resolve });
      this.#wake();
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #wake(): void {
    this.#waiting = this.#waiting.filter(({ ready, resolve }) => {
      if (!ready()) return true;
      resolve();
      return false;
    });
  }
}
