import type { FastifyInstance } from "fastify";
import { fstatSync } from "node:fs";

export interface ListenOptions {
  host: string;
  port: number;
}

const STOP_WITHIN_MS = 1500;

/**
 * Listens, prints `ready http://…` on stdout, and stops the app when the process is told to.
 * A taken port ends the process with a message that names it.
 */
export async function listen(app: FastifyInstance, { host, port }: ListenOptions): Promise<void> {
  try {
    process.stdout.write(`ready ${await app.listen({ host, port })}\n`);
  } catch (error) {
    process.stderr.write(
      `cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
    return;
  }
  const reason = await untilToldToStop();
  app.log.info({ reason }, "stopping");
  const overdue = setTimeout(() => process.exit(0), STOP_WITHIN_MS);
  await app.close();
  clearTimeout(overdue);
}

/**
 * Waits for SIGTERM, SIGINT, or the end of the process that started this one, seen by its pipe on stdin or its
 * IPC channel closing: a supervisor that is killed with -9 leaves no orphan behind.
 */
export function untilToldToStop(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve(signal));
    process.once("disconnect", () => resolve("parent disconnected"));
    if (!stdinIsPipe()) return;
    process.stdin.once("close", () => resolve("parent closed stdin"));
    process.stdin.once("error", () => resolve("parent closed stdin"));
    process.stdin.resume();
    // Watching the parent must not keep the process alive once its work is done.
    if ("unref" in process.stdin) process.stdin.unref();
  });
}

/** A terminal, a file or /dev/null says nothing about the parent. */
function stdinIsPipe(): boolean {
  try {
    const stat = fstatSync(0);
    return stat.isFIFO() || stat.isSocket();
  } catch {
    return false; // No stdin at all.
  }
}
