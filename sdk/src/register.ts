import { isMainThread } from "node:worker_threads";
import { startTelemetry } from "./api.ts";
import { writeStderr } from "./stderr.ts";

// Workers inherit `--import`; those of pino's transports and the like would only report themselves.
if (isMainThread) {
  try {
    startTelemetry();
  } catch (error) {
    // The app is more important than what is known about it.
    writeStderr(`tocsin: telemetry is off, it could not start: ${String(error)}\n`);
  }
}
