import { writeSync } from "node:fs";

/**
 * Writes to stderr. Not by `process.stderr`, whose error event for a closed pipe would end an app that has no listener
 * for it; what cannot be written is lost.
 */
export function writeStderr(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // There is nobody to tell.
  }
}
