import { z } from "zod";
import { TOPICS, type DeadLetter } from "../bus.ts";
import type { KafkaRecord } from "./driver.ts";
import type { Outgoing } from "./message.ts";

const DLQ = "_dlq";

/** The dead-letter topic of a topic. */
export const dlqOf = <T extends string>(topic: T): `${T}${typeof DLQ}` => `${topic}${DLQ}`;

const Headers = z.object({
  "tocsin-at": z.coerce.number(),
  "tocsin-topic": z.enum(TOPICS),
  "tocsin-group": z.string(),
  "tocsin-reason": z.string(),
  "tocsin-records": z.coerce.number(),
  "tocsin-bytes": z.coerce.number(),
});

const MAX_REASON = 4096;

/** A letter as a record of the dead-letter topic: its value as it was, the rest in headers. A value that is too long is cut. */
export function letterRecord(letter: DeadLetter, records: number, origin: string, maxBytes: number): Outgoing {
  const { at, topic, group, key, reason, value } = letter;
  return {
    records,
    record: {
      key,
      value: value.subarray(0, maxBytes),
      headers: {
        "tocsin-at": String(at),
        "tocsin-topic": topic,
        "tocsin-group": group,
        "tocsin-reason": reason.slice(0, MAX_REASON),
        "tocsin-records": String(records),
        "tocsin-bytes": String(value.length),
        ...(origin !== "" && { "tocsin-origin": origin }),
      },
    },
  };
}

/** A letter from a record of a dead-letter topic; undefined for what somebody else has put there. */
export function readLetter({
  key,
  value,
  headers,
}: KafkaRecord): (DeadLetter & { records: number; bytes: number }) | undefined {
  const parsed = Headers.safeParse(headers);
  if (!parsed.success) return undefined;
  const head = parsed.data;
  return {
    at: head["tocsin-at"],
    topic: head["tocsin-topic"],
    group: head["tocsin-group"],
    reason: head["tocsin-reason"],
    records: head["tocsin-records"],
    bytes: head["tocsin-bytes"],
    key,
    value,
  };
}
