import { ParseError, QueryError } from "@tocsin/promql";
import { TocsinError } from "@tocsin/platform";

/** The API's kinds of failure and their HTTP status. */
const STATUS = {
  bad_data: 400,
  execution: 422,
  canceled: 499,
  timeout: 503,
  internal: 500,
  not_found: 404,
  not_acceptable: 406,
  unavailable: 503,
} as const;
export type ApiErrorType = keyof typeof STATUS;

/** A failure in the words of the Prometheus HTTP API. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly type: ApiErrorType;

  constructor(type: ApiErrorType, message: string, options?: ErrorOptions) {
    super(message, options);
    this.type = type;
  }

  get status(): number {
    return STATUS[this.type];
  }
}

export function invalidParameter(name: string, reason: string): ApiError {
  return new ApiError("bad_data", `invalid parameter ${JSON.stringify(name)}: ${reason}`);
}

/** What the caller is told of any failure. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof ParseError) return invalidParameter("query", error.message);
  if (error instanceof QueryError) {
    return error.kind === "bad_data"
      ? invalidParameter("query", error.message)
      : new ApiError(error.kind, error.message);
  }
  if (error instanceof TocsinError && error.code === "TOCSIN_UNAVAILABLE")
    return new ApiError("unavailable", error.message);
  if (
    error instanceof Error &&
    "statusCode" in error &&
    typeof error.statusCode === "number" &&
    error.statusCode < 500
  ) {
    return new ApiError("bad_data", error.message);
  }
  return new ApiError("internal", "an unexpected error; the log has the details", { cause: error });
}
