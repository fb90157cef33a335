import { createService, FaultPanel, httpFaults, type ServiceOptions } from "@tocsin/sample-chassis";
import type { FastifyInstance, FastifyReply } from "fastify";
import { randomInt, randomUUID } from "node:crypto";
import type { Registry } from "prom-client";
import { z } from "zod";
import { VerificationCodes } from "./codes.ts";
import type { Message } from "./outbox.ts";
import { SimulatedProvider, type Sms } from "./provider.ts";
import { SmsService } from "./sms-service.ts";
import { codeText, render, Template } from "./templates.ts";

export interface SmsOptions extends ServiceOptions {
  /** Milliseconds since the epoch. */
  now: () => number;
  registry: Registry;
}

const Phone = z.string().regex(/^\+[1-9]\d{6,14}$/, "must be a phone number like +8613800000001");
const Id = z.string().min(1).max(64);
const PostMessage = z.object({ id: Id.optional(), to: Phone }).and(Template);
const PostCode = z.strictObject({ to: Phone });
const VerifyCode = z.strictObject({ to: Phone, code: z.string().regex(/^\d{6}$/) });

const CODE_MINUTES = 5;
const HANDSETS = 5000;

const { latency, error_rate, crash } = httpFaults;
const faults = {
  provider_outage: { description: "Both SMS providers refuse every message" },
  latency: { ...latency, description: "The SMS providers answer late" },
  error_rate,
  crash,
};

export function createSms(options: SmsOptions): FastifyInstance {
  const panel = new FaultPanel(faults);
  const { random, now, registry } = options;
  const app = createService(panel, options, { latency: false });

  // Where the simulated providers deliver to: the last text each phone got.
  const handsets = new Map<string, string>();
  const deliver = ({ to, text }: Sms) => {
    handsets.delete(to);
    handsets.set(to, text);
    const [oldest] = handsets.keys();
    if (handsets.size > HANDSETS && oldest !== undefined) handsets.delete(oldest);
  };
  const weather = () => ({
    outage: panel.active("provider_outage") !== undefined,
    extraMs: panel.strikes("latency", random) ? (panel.active("latency")?.["ms"] ?? 0) : 0,
  });
  const simulated = { random, weather, deliver };
  const aurora = new SimulatedProvider({ name: "aurora", typicalMs: 45, failureRatio: 0.01, ...simulated });
  const borealis = new SimulatedProvider({ name: "borealis", typicalMs: 80, failureRatio: 0.005, ...simulated });
  const sms = new SmsService({ providers: [aurora, borealis], now, log: app.log, registry });
  const codes = new VerificationCodes({
    ttlMs: CODE_MINUTES * 60_000,
    maxAttempts: 5,
    maxCodes: 10_000,
    now,
    randomInt,
  });

  app.post("/messages", async (request, reply) => {
    const { id, to, ...message } = PostMessage.parse(request.body);
    return answer(reply, await sms.send(id ?? randomUUID(), message.template, { to, text: render(message) }));
  });

  app.get<{ Params: { id: string } }>("/messages/:id", async (request, reply) => {
    return sms.message(request.params.id) ?? reply.code(404).send({ statusCode: 404, message: "no such message" });
  });

  app.post("/codes", async (request, reply) => {
    const { to } = PostCode.parse(request.body);
    const { code } = codes.issue(to);
    sms.metrics.codesIssued.inc();
    return answer(reply, await sms.send(randomUUID(), "login_code", { to, text: codeText(code, CODE_MINUTES) }));
  });

  app.post("/codes/verify", async (request, reply) => {
    const { to, code } = VerifyCode.parse(request.body);
    const outcome = codes.verify(to, code);
    sms.metrics.codesVerified.inc({ outcome });
    request.log.info({ outcome }, "code checked");
    return reply.code(outcome === "ok" ? 200 : 422).send({ outcome });
  });

  /** What the simulated phone shows, so that the load driver can read its login code. */
  app.get<{ Params: { phone: string } }>("/handsets/:phone", { config: { otel: false } }, async (request, reply) => {
    const text = handsets.get(request.params.phone);
    return text === undefined ? reply.code(404).send({ statusCode: 404, message: "no message yet" }) : { text };
  });

  return app;
}

function answer(reply: FastifyReply, sent: Message | "refused"): FastifyReply {
  if (sent === "refused")
    return reply.code(503).header("retry-after", "1").send({ statusCode: 503, message: "queue full" });
  if (sent.status === "failed") return reply.code(502).send({ ...sent, statusCode: 502, message: sent.error });
  return reply.code(201).send(sent);
}
