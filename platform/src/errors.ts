/**
 * Every code that Tocsin's errors carry, with what to do about it. The reference page is generated from this list.
 * A retired code is never used again.
 */
export const ERROR_CODES = {
  TOCSIN_CONFIG_INVALID: "A configuration file or flag has a mistake; the message names the place.",
  TOCSIN_CONFIG_UNREADABLE: "A configuration file cannot be read; check its path and permissions.",
  TOCSIN_PORT_TAKEN: "Another process listens on a port that was set; stop it or choose another.",
  TOCSIN_BIND_UNSAFE:
    "A non-loopback address without authentication; set authentication or --allow-unauthenticated-bind.",
  TOCSIN_DATA_DIR_UNWRITABLE:
    "The data folder cannot be written; choose another with --data-dir or mend its permissions.",
  TOCSIN_DATA_DIR_IN_USE: "Another Tocsin process uses this data folder; stop it or choose another folder.",
  TOCSIN_STORE_CORRUPT: "A store file cannot be read; it was set aside, the rest is served.",
  TOCSIN_OVERLOADED: "A queue is full; send again after the time in Retry-After.",
  TOCSIN_BAD_REQUEST: "The request is malformed; the message names the parameter or the path in the body.",
  TOCSIN_CONFLICT: "The thing is in a state that does not allow this; the message says which.",
  TOCSIN_NOT_FOUND: "There is no such thing, or no longer.",
  TOCSIN_TOO_LARGE: "The request is larger than the limit in the message.",
  TOCSIN_UNAVAILABLE: "A part that the answer needs is not up.",
  TOCSIN_STOPPING: "The process is shutting down.",
  TOCSIN_WORKER_LOST: "A worker thread ended unexpectedly; the process stops so that it can be started afresh.",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** An error with a stable code; the message names the thing and the remedy. */
export class TocsinError extends Error {
  override readonly name = "TocsinError";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What to show of a caught value. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
