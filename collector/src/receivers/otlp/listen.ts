import { TocsinError } from "@tocsin/platform";

/** What a failed bind means to the user; other errors pass unchanged. */
export function bindError(error: Error, what: string, host: string, port: number, flag: string): Error {
  const taken = ("code" in error && error.code === "EADDRINUSE") || /EADDRINUSE|No address added/.test(error.message);
  if (!taken) return error;
  const message = `port ${port} for ${what} is taken on ${host}; stop the process that listens there or choose another with ${flag}`;
  return new TocsinError("TOCSIN_PORT_TAKEN", message, { cause: error });
}
