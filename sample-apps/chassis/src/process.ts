import type { FastifyInstance } from "fastify";
import { randomUUID } from "node:crypto";
import { fstatSync } from "node:fs";
import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { Membership } from "./registry/membership.ts";
import { openRegistry } from "./registry/registry.ts";

/** The variables that make a service register itself. */
export const registryEnv = {
  REGISTRY: z
    .string()
    .regex(/^(etcd|consul)(\+https)?:\/\//, "etcd://host:port/prefix or consul://host:port")
    .optional(),
  ADVERTISE_HOST: z.string().min(1).optional(),
};

export interface ListenOptions {
  host: string;
  port: number;
  /** The name under which others find it. */
  service: string;
  /** URL of the registry; without one it registers nowhere. */
  registry: string | undefined;
  /** Where others reach it: the address it listens on by default, the machine's name when that is any address. */
  advertiseHost: string | undefined;
}

const STOP_WITHIN_MS = 1500;
const WITHDRAW_WITHIN_MS = 500;
const ANY_ADDRESS = ["0.0.0.0", "::", ""];

/**
 * Listens, registers the service if there is a registry, prints `ready http://…` on stdout, and stops the app when the process is told to.
 * A taken port ends the process with a message that names it.
 */
export async function listen(app: FastifyInstance, options: ListenOptions): Promise<void> {
  const { host, port } = options;
  try {
    process.stdout.write(`ready ${await app.listen({ host, port })}\n`);
  } catch (error) {
    process.stderr.write(
      `cannot listen on ${host}:${port}: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = 1;
    return;
  }
  const membership = register(app, options);
  const reason = await untilToldToStop();
  app.log.info({ reason }, "stopping");
  const overdue = setTimeout(() => process.exit(0), STOP_WITHIN_MS);
  // First nobody is to come any more, then what is under way ends.
  await Promise.race([membership?.withdraw(), pause(WITHDRAW_WITHIN_MS)]);
  await app.close();
  clearTimeout(overdue);
}

function register(app: FastifyInstance, options: ListenOptions): Membership | undefined {
  const address = app.server.address();
  if (options.registry === undefined || address === null || typeof address === "string") return undefined;
  const { service, host } = options;
  const instance = {
    service,
    id: `${service}-${randomUUID()}`,
    host: options.advertiseHost ?? (ANY_ADDRESS.includes(host) ? hostname() : host),
    port: address.port,
  };
  return new Membership({ registry: openRegistry(options.registry), instance, log: app.log });
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
