import { startTelemetry } from "./api.ts";

try {
  startTelemetry();
} catch (error) {
  // The app is more important than what is known about it.
  process.stderr.write(`tocsin: telemetry is off, it could not start: ${String(error)}\n`);
}
