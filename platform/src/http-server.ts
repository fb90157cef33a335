import { createServer } from "node:net";
import { fastify, LogController, type FastifyInstance } from "fastify";
import { z } from "zod";
import type { Problem } from "@tocsin/model";
import { errorMessage, TocsinError, type ErrorCode } from "./errors.ts";
import type { Logger } from "./logger.ts";

export interface HttpServerOptions {
  logger: Logger;
  /** Bytes; larger bodies get 413. */
  bodyLimit?: number;
}

const STATUS: Partial<Record<ErrorCode, number>> = {
  TOCSIN_BAD_REQUEST: 400,
  TOCSIN_NOT_FOUND: 404,
  TOCSIN_CONFLICT: 409,
  TOCSIN_TOO_LARGE: 413,
  TOCSIN_OVERLOADED: 503,
  TOCSIN_UNAVAILABLE: 503,
  TOCSIN_STOPPING: 503,
};

/**
 * A Fastify server with our defaults: problem details (RFC 9457) for errors, a body limit, quiet request logs, and
 * connections closed on stop. Plugins that need another error shape set their own error handler in their scope.
 */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const app = fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: options.bodyLimit ?? 1024 * 1024,
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 1024 },
  }) as unknown as FastifyInstance;
  app.setErrorHandler(async (error, request, reply) => {
    const problem = toProblem(error, request.id);
    if (problem.status >= 500) request.log.error({ err: error, url: request.url }, "request failed");
    if (problem.status === 503) reply.header("retry-after", "1");
    return reply.code(problem.status).type("application/problem+json").send(problem);
  });
  app.setNotFoundHandler(async (request, reply) =>
    reply
      .code(404)
      .type("application/problem+json")
      .send({
        type: "about:blank",
        title: "Not Found",
        status: 404,
        detail: `there is nothing at ${request.method} ${request.url.split("?", 1)[0]}`,
        requestId: request.id,
      } satisfies Problem),
  );
  return app;
}

/** Validates query, params or body with a zod schema; a mistake becomes a 400 that names each place. */
export function parseRequest<T extends z.ZodType>(schema: T, input: unknown): z.output<T> {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw new RequestError(result.error);
}

class RequestError extends TocsinError {
  readonly errors: { path: string; message: string }[];

  constructor(error: z.ZodError) {
    const errors = error.issues.map((issue) => ({ path: issue.path.map(String).join("."), message: issue.message }));
    super(
      "TOCSIN_BAD_REQUEST",
      errors.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; "),
    );
    this.errors = errors;
  }
}

function toProblem(error: unknown, requestId: string): Problem {
  const code = error instanceof TocsinError ? error.code : undefined;
  const status = (code && STATUS[code]) ?? fastifyStatus(error) ?? 500;
  return {
    type: "about:blank",
    title: TITLES[status] ?? (status < 500 ? "Bad Request" : "Internal Server Error"),
    status,
    detail:
      status >= 500 && !code
        ? "an unexpected error; the log has the details under this request id"
        : errorMessage(error),
    ...(code && { code }),
    ...(error instanceof RequestError && { errors: error.errors }),
    requestId,
  };
}

const TITLES: Record<number, string> = {
  400: "Bad Request",
  404: "Not Found",
  409: "Conflict",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  429: "Too Many Requests",
  503: "Service Unavailable",
};

function fastifyStatus(error: unknown): number | undefined {
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  return typeof status === "number" && status >= 400 ? status : undefined;
}

export interface PortChoice {
  host: string;
  /** 0 takes any free port. */
  port: number;
  /** What is being bound, for messages: `the dashboard`. */
  what: string;
  /** How to choose another port: `--port`. */
  flag: string;
  /** Move on to the next free port (up to 20 further) when this one is taken; else a taken port is an error. */
  moveWhenTaken: boolean;
  /** Ports that others have been promised and do not hold yet. */
  except?: ReadonlySet<number>;
}

/** A port that can be bound now: the wished one, or a later one where that is allowed. Throws TOCSIN_PORT_TAKEN. */
export async function choosePort(choice: PortChoice): Promise<number> {
  const last = choice.moveWhenTaken && choice.port !== 0 ? choice.port + 20 : choice.port;
  for (let port = choice.port; port <= last; port++) {
    const bound = choice.except?.has(port) ? undefined : await tryPort(choice.host, port);
    if (bound !== undefined && choice.except?.has(bound)) port--;
    else if (bound !== undefined) return bound;
  }
  throw new TocsinError(
    "TOCSIN_PORT_TAKEN",
    `port ${choice.port} for ${choice.what} is taken on ${choice.host}; stop the process that listens there or choose another with ${choice.flag}`,
  );
}

/** Binds the port for a moment; its number, or undefined when it is taken. */
function tryPort(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(undefined);
      else reject(error);
    });
    probe.listen(port, host, () => {
      const address = probe.address();
      const bound = typeof address === "object" && address !== null ? address.port : port;
      probe.close(() => resolve(bound));
    });
  });
}
