import { type Context, type ContextManager, ROOT_CONTEXT } from "@opentelemetry/api";
import { suppressTracing } from "@opentelemetry/core";
import { AsyncLocalStorage } from "node:async_hooks";
import { EventEmitter } from "node:events";

/** Carries OpenTelemetry's context along promises, timers and callbacks. */
export class AsyncContextManager implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(context, () => Reflect.apply(fn, thisArg, args));
  }

  /** Binds a function; an emitter keeps the context of each `emit`, as AsyncLocalStorage does it anyway. */
  bind<T>(context: Context, target: T): T {
    if (target instanceof EventEmitter || typeof target !== "function") return target;
    const storage = this.#storage;
    const bound = function (this: unknown, ...args: unknown[]): unknown {
      return storage.run(context, () => Reflect.apply(target, this, args));
    };
    return bound as T;
  }

  /** Makes the context active for the rest of the current callback and for what it starts. */
  enter(context: Context): void {
    this.#storage.enterWith(context);
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}

/** No spans are made in here: for health checks, and for the SDK's own traffic. */
export const UNTRACED: Context = suppressTracing(ROOT_CONTEXT);
