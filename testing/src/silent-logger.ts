import { createLogger, type Logger } from "@tocsin/platform";

/** A logger that says nothing. */
export const silentLogger: Logger = createLogger({ level: "silent" });
