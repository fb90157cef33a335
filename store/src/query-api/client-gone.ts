import type { FastifyReply } from "fastify";

/** A signal that aborts when the client closes the connection before its answer is complete. */
export function clientGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once("close", () => {
    if (!reply.raw.writableFinished) gone.abort(new Error("the client went away"));
  });
  return gone.signal;
}
