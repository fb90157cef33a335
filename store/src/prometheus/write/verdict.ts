import type { HttpAnswer } from "../http-client.ts";

/** What a remote write receiver's answer means for the samples that were sent. */
export type Verdict =
  | { status: "accepted" }
  /** 2.0: so many were not taken, the others were; they never will be. */
  | { status: "partial"; dropped: number; reason: string }
  /** Something in the request can never be taken, and nothing of it was. */
  | { status: "bad"; reason: string }
  /** The receiver does not know 2.0. */
  | { status: "old-receiver" }
  | { status: "retry"; reason: string; afterMs: number | undefined };

/** What was sent, for telling how much of it was taken. */
export interface Sent {
  version: "1.0" | "2.0";
  samples: number;
  histograms: number;
}

/**
 * Older Prometheus releases answer 500 for samples that they will never take, such as those older than their
 * out-of-order window.
 */
const NEVER_TAKEN =
  /too old sample|out of bounds|out of order sample|duplicate sample|native histograms? (?:are|is) disabled|invalid (?:histogram|schema|metric name|label)|histogram.*(?:span|bucket|schema)/i;

/** The statuses that speak of the data; others of 400…499 speak of how we are set up, which can be mended. */
const DATA_STATUS = new Set([400, 413, 415, 422]);

export function judge(answer: HttpAnswer, sent: Sent, nowMs: number): Verdict {
  const { status } = answer;
  if (status >= 200 && status < 300) return accepted(answer, sent);
  const reason = describe(answer);
  if (status === 415 && sent.version === "2.0") return { status: "old-receiver" };
  if (DATA_STATUS.has(status)) return partial(answer, sent, reason) ?? { status: "bad", reason };
  if (status >= 500 && NEVER_TAKEN.test(reason)) return { status: "bad", reason };
  return { status: "retry", reason, afterMs: retryAfterMs(answer, nowMs) };
}

/** A 1.0 receiver that does not look at the content type reads 2.0 as an empty request and is content with it. */
function accepted(answer: HttpAnswer, sent: Sent): Verdict {
  if (sent.version === "1.0" || written(answer) !== undefined) return { status: "accepted" };
  return { status: "old-receiver" };
}

function partial(answer: HttpAnswer, sent: Sent, reason: string): Verdict | undefined {
  const taken = written(answer);
  if (sent.version === "1.0" || taken === undefined) return undefined;
  return { status: "partial", dropped: Math.max(0, sent.samples + sent.histograms - taken), reason };
}

/** Samples and histograms that were written, where the receiver says so. */
function written({ headers }: HttpAnswer): number | undefined {
  const samples = headers["x-prometheus-remote-write-samples-written"];
  const histograms = headers["x-prometheus-remote-write-histograms-written"];
  if (samples === undefined && histograms === undefined) return undefined;
  return Number(samples ?? 0) + Number(histograms ?? 0);
}

function describe({ status, body }: HttpAnswer): string {
  const text = Buffer.from(body.subarray(0, 1024)).toString().trim().split("\n", 1)[0] ?? "";
  return text === "" ? `status ${status}` : `status ${status}: ${text}`;
}

function retryAfterMs({ headers }: HttpAnswer, nowMs: number): number | undefined {
  const text = headers["retry-after"];
  if (typeof text !== "string") return undefined;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
