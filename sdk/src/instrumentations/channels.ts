import { subscribe, unsubscribe } from "node:diagnostics_channel";

/**
 * Subscribes to diagnostics channels; disposing unsubscribes. Each handler names the part of its message that it relies
 * on. A handler that throws must not reach the app's code, so it is told to `onError`.
 */
export function subscribeAll(
  handlers: Record<string, (message: never) => void>,
  onError: (error: unknown) => void,
): Disposable {
  const subscriptions = Object.entries(handlers).map(([name, handler]) => {
    const guarded = (message: unknown): void => {
      try {
        handler(message as never);
      } catch (error) {
        onError(error);
      }
    };
    subscribe(name, guarded);
    return { name, guarded };
  });
  return {
    [Symbol.dispose]() {
      for (const { name, guarded } of subscriptions) unsubscribe(name, guarded);
    },
  };
}
