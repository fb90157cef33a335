import { createServer, type Server } from "node:http";
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

export interface ListenOptions {
  host: string;
  port: number;
  /** What is being bound, for messages: `dashboard`. */
  what: string;
  /** How to choose another port: `--port`. */
  flag: string;
  /** Move on to the next free port (up to 20 further) when this one is taken; else a taken port is an error. */
  moveWhenTaken: boolean;
}

/** The first port that can be bound, from `port` upwards. Throws TOCSIN_PORT_TAKEN. */
export async function choosePort(options: ListenOptions): Promise<number> {
  const last = options.moveWhenTaken && options.port !== 0 ? options.port + 20 : options.port;
  for (let port = options.port; port <= last; port++) {
    if (await canBind(options.host, port)) return port;
  }
  throw new TocsinError(
    "TOCSIN_PORT_TAKEN",
    `port ${options.port} for ${options.what} is taken on ${options.host}; stop the process that listens there or choose another with ${options.flag}`,
  );
}

function canBind(host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe: Server = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(false);
      else reject(error);
    });
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}
