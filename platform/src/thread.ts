// What worker threads need, without the servers and loggers that the main thread has: each thread loads its own copy.
export * from "./backoff.ts";
export * from "./clock.ts";
export * from "./errors.ts";
export * from "./worker.ts";
