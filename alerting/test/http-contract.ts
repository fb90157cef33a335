import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Notifier, NotifyResult } from "../src/notify/integration.ts";
import { HttpSink, type Received } from "./http-sink.ts";
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
  /** What the service answers when it accepts; default any body. */
  readonly accepts?: { readonly body: string; readonly type?: string };
  /** Answers a request that comes before the notification itself, such as one for a token. */
  readonly before?: (request: Received) => string | undefined;
  /** Where the service differs from the table. */
  readonly exceptions?: Readonly<Record<number, NotifyResult["status"]>>;
  /** What becomes of a request without an answer; default retry. */
  readonly noAnswerIs?: "retry" | "failed";
  /** What no error may show, whatever the service answers. */
  readonly secrets?: readonly string[];
}

/** What every notifier over HTTP does with answers and their absence. */
export function httpNotifierContract(
  name: string,
  create: (url: string) => Notifier,
  {
    alsoRetried = [],
    accepts = { body: "because" },
    before,
    exceptions = {},
    secrets = [],
    noAnswerIs = "retry",
  }: HttpContractOptions = {},
): void {
  const answering =
    (answer: HttpSink["answer"]): HttpSink["answer"] =>
    (response, request) => {
      const earlier = before?.(request);
      if (earlier === undefined) answer(response, request);
      else response.writeHead(200, { "content-type": "application/json" }).end(earlier);
    };
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
      const accepted = status < 300;
      sink.answer = answering((response) =>
        response
          .writeHead(status, { "content-type": (accepted ? accepts.type : undefined) ?? "text/plain" })
          .end(accepted ? accepts.body : "because"),
      );
      const result = await notifier.notify(notification(), never);
      expect(result.status).toBe(exceptions[status] ?? (alsoRetried.includes(status) ? "retry" : outcome));
      if (result.status !== "sent" && reason !== undefined)
        expect(result).toMatchObject({ reason, error: expect.stringContaining(String(status)) as string });
    });

    test("the pause that a busy service asks for is kept", async () => {
      sink.answer = answering((response) => response.writeHead(503, { "retry-after": "7" }).end());
      const result = await notifier.notify(notification(), never);
      if (exceptions[503] === undefined) expect(result).toMatchObject({ status: "retry", afterMs: 7000 });
    });

    test.skipIf(secrets.length === 0)("no error repeats a secret that the service repeats", async () => {
      sink.answer = answering((response, { path, headers, body }) =>
        response.writeHead(400).end(`cannot take ${path} ${JSON.stringify(headers)} ${body}`),
      );
      const result = await notifier.notify(notification(), never);
      const shown = JSON.stringify(result);
      for (const secret of secrets) expect(shown).not.toContain(secret);
    });

    test(`a connection that is cut: ${noAnswerIs}`, async () => {
      sink.answer = answering((response) => response.socket?.destroy());
      expect((await notifier.notify(notification(), never)).status).toBe(noAnswerIs);
    });

    test(`nobody listening: ${noAnswerIs}`, async () => {
      await sink.stop();
      expect((await notifier.notify(notification(), never)).status).toBe(noAnswerIs);
    });

    test(`an answer that is no HTTP: ${noAnswerIs}`, async () => {
      const garbage = createServer((socket) => socket.end("hello\r\n\r\n"));
      await new Promise<void>((resolve) => garbage.listen(0, "127.0.0.1", resolve));
      const odd = create(`http://127.0.0.1:${(garbage.address() as AddressInfo).port}`);
      expect((await odd.notify(notification(), never)).status).toBe(noAnswerIs);
      await odd.close?.();
      garbage.close();
    });

    test("an abort ends an attempt that gets no answer", async () => {
      sink.answer = () => {};
      const controller = new AbortController();
      const attempt = notifier.notify(notification(), controller.signal);
      setTimeout(() => controller.abort(new Error("enough")), 20);
      expect((await attempt).status).toBe(noAnswerIs);
    });
  });
}
