import type { FastifyReply } from "fastify";
import { TRUNCATED } from "../metrics/query/query-json.ts";
import type { ApiError } from "./api-error.ts";

/** What a route answers with: data for the envelope, or a whole body that is ready. */
export type Answer = { data: unknown; warnings?: string[] } | { body: Uint8Array };

export function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  const body =
    "body" in answer
      ? Buffer.from(answer.body.buffer, answer.body.byteOffset, answer.body.byteLength)
      : Buffer.from(JSON.stringify({ status: "success", data: answer.data, ...warningsOf(answer.warnings) }));
  return reply.header("content-type", "application/json").send(body);
}

export function sendError(reply: FastifyReply, error: ApiError): FastifyReply {
  const body = JSON.stringify({ status: "error", errorType: error.type, error: error.message });
  if (error.status === 503) reply.header("retry-after", "1");
  return reply.code(error.status).header("content-type", "application/json").send(Buffer.from(body));
}

/** A sorted list cut to the limit, with the warning that says so. */
export function limited(list: unknown[], limit: number): Answer {
  return limit > 0 && list.length > limit ? { data: list.slice(0, limit), warnings: [TRUNCATED] } : { data: list };
}

function warningsOf(warnings: string[] | undefined): { warnings?: string[] } {
  return warnings && warnings.length > 0 ? { warnings } : {};
}
