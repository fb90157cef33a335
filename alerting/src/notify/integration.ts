import type { z } from "zod";
import type { Clock, Logger } from "@tocsin/platform";
import type { GlobalConfig } from "../config/global-config.ts";
import type { Notification } from "./notification.ts";
import type { Templates } from "./template.ts";

/** Why a notification was not accepted; the values of the metrics' `reason` label. */
export type FailureReason =
  | "other"
  | "clientError"
  | "serverError"
  | "contextCanceled"
  | "contextDeadlineExceeded"
  | "authError"
  | "rateLimited";

/** What became of one attempt. `retry` is tried again until the flush's deadline, `failed` is not. */
export type NotifyResult =
  | { readonly status: "sent"; readonly receiverData?: Readonly<Record<string, string>> }
  | { readonly status: "retry"; readonly reason: FailureReason; readonly error: string; readonly afterMs?: number }
  | { readonly status: "failed"; readonly reason: FailureReason; readonly error: string };

/** Delivers notifications to one configured destination. */
export interface Notifier {
  /** One attempt. Never throws for what the destination does; `signal` aborts at the flush's deadline or on stop. */
  notify(notification: Notification, signal: AbortSignal): Promise<NotifyResult>;
  /** Closes connections it keeps. */
  close?(): Promise<void>;
}

export interface NotifierDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly templates: Templates;
  /** Sent as `User-Agent`. */
  readonly userAgent: string;
}

/** What a receiver's block may take over from its surroundings. */
export interface SettleContext {
  readonly global: GlobalConfig;
  /** The configuration file's folder. */
  readonly directory: string;
}

/** Every receiver block has this key; the default differs by integration. */
export interface CommonConfig {
  send_resolved: boolean;
}

/**
 * A way to notify: `<name>_configs:` in the configuration, its checks, reference and contract tests all derive from
 * this value. `settle` fills in what the global section gives and throws an Error for what is missing.
 */
export interface Integration<N extends string = string, C extends CommonConfig = CommonConfig> {
  readonly name: N;
  readonly config: z.ZodType<C>;
  /** The text templates `<name>.default.<field>` that the config's defaults call. */
  readonly defaults?: string;
  settle(config: C, context: SettleContext): C;
  /** The templates in a block, so that mistakes in them are said when it is loaded, not when it first notifies. */
  templates(config: C): { readonly text: readonly string[]; readonly html?: readonly string[] };
  create(config: C, deps: NotifierDeps): Notifier;
}

/**
 * An integration in a list of different ones. Its config is only ever what its own schema gave, which the
 * type system cannot follow through the list; this is the one place that says so.
 */
export type AnyIntegration = Integration;

export function defineIntegration<const N extends string, C extends CommonConfig>(
  definition: Integration<N, C>,
): AnyIntegration & { readonly name: N } {
  return definition;
}
