import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Notifier } from "../src/notify/integration.ts";
import { HttpSink } from "./http-sink.ts";
import { never, notification } from "./notifier.ts";

const TABLE = [
  [200, "sent", undefined],
  [201, "sent", undefined],
  [204, "sent", undefined],
  [400, "failed", "clientError"],
  [401, "failed", "authError"],
  [403, "failed", "authError"],
  [404, "failed", "clientError"],
  [413, "failed", "clientError"],
  [429, "failed", "rateLimited"],
  [500, "retry", "serverError"],
  [502, "retry", "serverError"],
  [503, "retry", "serverError"],
  [504, "retry", "serverError"],
] as const;

export interface HttpContractOptions {
  /** Statuses that this service also wants tried again. */
  readonly alsoRetried?: readonly number[];
}

/** What every notifier over HTTP does with answers and their absence. */
export function httpNotifierContract(
  name: string,
  create: (url: string) => Notifier,
  { alsoRetried = [] }: HttpContractOptions = {},
): void {
  describe(`${name}: the contract of HTTP notifiers`, () => {
    let sink: HttpSink;
    let notifier: Notifier;
    beforeEach(async () => {
      sink = await new HttpSink().start();
      notifier = create(sink.url);
    });
    afterEach(async () => {
      await notifier.close?.();
      await sink.stop();
    });

    test.each(TABLE)("status %d is %s", async (status, outcome, reason) => {
      sink.answer = (response) => response.writeHead(status).end("because");
      const result = await notifier.notify(notification(), never);
      expect(result.status).toBe(alsoRetried.includes(status) ? "retry" : outcome);
      if (result.status !== "sent")
        expect(result).toMatchObject({ reason, error: expect.stringContaining(String(status)) as string });
    });

    test("a connection that is cut is tried again", async () => {
      sink.answer = (response) => response.socket?.destroy();
      expect((await notifier.notify(notification(), never)).status).toBe("retry");
    });

    test("nobody listening is tried again", async () => {
      await sink.stop();
      expect((await notifier.notify(notification(), never)).status).toBe("retry");
    });

    test("an answer that is no HTTP is tried again", async () => {
      const garbage = createServer((socket) => socket.end("hello\r\n\r\n"));
      await new Promise<void>((resolve) => garbage.listen(0, "127.0.0.1", resolve));
      const odd = create(`http://127.0.0.1:${(garbage.address() as AddressInfo).port}`);
      expect((await odd.notify(notification(), never)).status).toBe("retry");
      await odd.close?.();
      garbage.close();
    });

    test("an abort ends an attempt that gets no answer", async () => {
      sink.answer = () => {};
      const controller = new AbortController();
      const attempt = notifier.notify(notification(), controller.signal);
      setTimeout(() => controller.abort(new Error("enough")), 20);
      expect((await attempt).status).toBe("retry");
    });
  });
}
