import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { DecisionRecord, parseTime, type DecisionPage } from "@tocsin/model";
import { errorMessage, parseRequest, type Clock } from "@tocsin/platform";
import type { DecisionLog } from "../decisions/decision-log.ts";

export interface DecisionsApiOptions {
  readonly log: DecisionLog;
  readonly clock: Clock;
}

const KINDS = DecisionRecord.options.map((option) => option.shape.kind.value);

/** `GET /api/tocsin/v1/decisions` as a Fastify plugin, to be registered without prefix. */
export async function decisionsApi(app: FastifyInstance, { log, clock }: DecisionsApiOptions): Promise<void> {
  const Query = querySchema(clock);
  app.get("/api/tocsin/v1/decisions", async ({ query }): Promise<DecisionPage> => {
    const { kind, ...rest } = parseRequest(Query, query);
    return log.query({ ...rest, kinds: kind });
  });
}

function querySchema(clock: Clock) {
  const time = z.string().transform((text, context) => {
    try {
      return parseTime(text, clock.now());
    } catch (error) {
      context.addIssue({ code: "custom", message: errorMessage(error) });
      return z.NEVER;
    }
  });
  const list = z
    .union([z.string(), z.array(z.string())])
    .transform((value) => [value].flat().flatMap((item) => item.split(",")));
  return z.strictObject({
    kind: list
      .pipe(z.array(z.enum(KINDS)))
      .optional()
      .describe("Kinds of decision, repeated or comma separated"),
    fingerprint: z.string().optional().describe("Only about this alert"),
    groupKey: z.string().optional().describe("Only about this group"),
    receiver: z.string().optional().describe("Only about this receiver"),
    from: time.optional().describe("Not before this time"),
    to: time.optional().describe("Not after this time"),
    limit: z.coerce.number().int().min(1).max(1000).default(100).describe("Records per page"),
    cursor: z.string().optional().describe("As the page before gave it"),
  });
}
