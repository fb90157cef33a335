import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { errorMessage, TocsinError } from "@tocsin/platform";

const FORWARDED_REQUEST = ["accept", "accept-language", "content-type", "last-event-id", "origin"];
const FORWARDED_RESPONSE = ["cache-control", "content-type", "location", "retry-after"];
const METHODS = ["GET", "POST", "PUT", "DELETE"] as const;
const MAX_BODY_BYTES = 64 * 1024 * 1024;

/** Passes everything below the given paths on to another role's server, bodies and streams included. */
export async function proxyTo(
  app: FastifyInstance,
  options: { base: string; what: string; paths: readonly string[] },
): Promise<void> {
  const base = options.base.replace(/\/+$/, "");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: MAX_BODY_BYTES }, (_request, body, done) =>
    done(null, body),
  );
  for (const url of options.paths) {
    app.route({
      method: [...METHODS],
      url,
      async handler(request, reply) {
        const gone = new AbortController();
        reply.raw.once("close", () => gone.abort());
        const answer = await fetch(base + request.url, {
          method: request.method,
          headers: pick((name) => request.headers[name]?.toString(), FORWARDED_REQUEST),
          ...bodyOf(request),
          redirect: "manual",
          signal: gone.signal,
        }).catch((error: unknown) => {
          throw new TocsinError(
            "TOCSIN_UNAVAILABLE",
            `${options.what} at ${base} does not answer: ${errorMessage(error)}`,
            { cause: error },
          );
        });
        reply.code(answer.status).headers(pick((name) => answer.headers.get(name) ?? undefined, FORWARDED_RESPONSE));
        return reply.send(answer.body === null ? undefined : Readable.fromWeb(answer.body));
      },
    });
  }
}

function bodyOf(request: FastifyRequest): { body?: Uint8Array<ArrayBuffer> } {
  return request.body instanceof Buffer ? { body: new Uint8Array(request.body) } : {};
}

function pick(read: (name: string) => string | undefined, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.map((name) => [name, read(name)]).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
