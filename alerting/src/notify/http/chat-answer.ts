import { z } from "zod";
import type { NotifyResult } from "../integration.ts";
import { httpOutcome, type HttpResponse } from "./http-client.ts";
import { answerOf } from "./http-notifier.ts";

const Answer = z.object({ errcode: z.number(), errmsg: z.string().default("") });

/** DingTalk and WeCom robots answer 200 to everything and say in `errcode` what they made of it. */
export function judgeRobot(service: string, response: HttpResponse, busy: readonly number[]): NotifyResult {
  const outcome = httpOutcome(response, [429]);
  if (outcome.status !== "sent") return outcome;
  const answer = answerOf(Answer, response);
  if (!answer) return { status: "retry", reason: "other", error: `${service}'s answer is not the JSON it promises` };
  return judgeCode(service, answer.errcode, answer.errmsg, busy);
}

/** 0 is accepted, a code of `busy` asks to come again later, anything else is final. */
export function judgeCode(service: string, code: number, said: string, busy: readonly number[]): NotifyResult {
  if (code === 0) return { status: "sent" };
  const error = `${service} refused: ${code} ${said}`;
  return busy.includes(code)
    ? { status: "retry", reason: "rateLimited", error }
    : { status: "failed", reason: "clientError", error };
}
