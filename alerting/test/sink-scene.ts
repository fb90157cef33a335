import { afterEach, beforeEach } from "vitest";
import type { Notifier, NotifyResult } from "../src/notify/integration.ts";
import type { Notification } from "../src/notify/notification.ts";
import { HttpSink } from "./http-sink.ts";
import { never, notification } from "./notifier.ts";

/** A fresh sink for each test, and notifiers that are closed after it. */
export function sinkScene() {
  let sink: HttpSink | undefined;
  let open: Notifier[] = [];
  beforeEach(async () => {
    sink = await new HttpSink().start();
  });
  afterEach(async () => {
    for (const notifier of open) await notifier.close?.();
    open = [];
    await sink?.stop();
  });
  return {
    get sink(): HttpSink {
      if (!sink) throw new Error("the sink is there only while a test runs");
      return sink;
    },
    /** One attempt. */
    notify(notifier: Notifier, overrides: Partial<Notification> = {}): Promise<NotifyResult> {
      if (!open.includes(notifier)) open.push(notifier);
      return notifier.notify(notification(overrides), never);
    },
  };
}
