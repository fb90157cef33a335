/**
 * An error as API v2 answers it. Handlers' own errors are a JSON string; what the schema or the router refuses is
 * `{"code": n, "message": …}`, where codes from 600 on stand for HTTP 422.
 */
export class ApiError extends Error {
  readonly status: number;
  readonly body: unknown;

  private constructor(status: number, message: string, body: unknown) {
    super(message);
    this.status = status;
    this.body = body;
  }

  static handler(status: 400 | 404 | 500, message: string): ApiError {
    return new ApiError(status, message, message);
  }

  static schema(code: number, message: string): ApiError {
    return new ApiError(code >= 600 ? 422 : code, message, { code, message });
  }
}

/** The codes of go-openapi for what a schema refuses. */
export const SCHEMA = { type: 601, required: 602, minItems: 612 } as const;
