import { expect, test } from "vitest";
import { FailOver } from "./fail-over.ts";
import type { Sms, SmsProvider } from "./provider.ts";

const SMS: Sms = { to: "+8613800000001", text: "hi" };

/** Two providers that fail while their name is in `broken`, and a record of what happened. */
function failOver() {
  const broken = new Set<string>();
  const events: string[] = [];
  let now = 0;
  const provider = (name: string): SmsProvider => ({
    name,
    async send() {
      events.push(`try ${name}`);
      if (broken.has(name)) throw new Error(`${name} is broken`);
    },
  });
  const sender = new FailOver(
    [provider("aurora"), provider("borealis")],
    { failuresToDown: 3, retryAfterMs: 10_000, now: () => now },
    {
      attempt: (chosen, sms) => chosen.send(sms),
      failedOver: (from, to) => events.push(`${from} → ${to}`),
      changed: (name, up) => events.push(`${name} ${up ? "up" : "down"}`),
    },
  );
  const send = async () => {
    events.length = 0;
    return sender.send(SMS);
  };
  return { sender, send, broken, events, advance: (ms: number) => (now += ms) };
}

test("sends by the preferred provider while it works", async () => {
  const { send, events } = failOver();
  expect(await send()).toEqual({ outcome: "delivered", provider: "aurora" });
  expect(events).toEqual(["try aurora"]);
});

test("hands a message that fails to the next provider", async () => {
  const { send, broken, events } = failOver();
  broken.add("aurora");
  expect(await send()).toEqual({ outcome: "delivered", provider: "borealis" });
  expect(events).toEqual(["try aurora", "aurora → borealis", "try borealis"]);
});

test("leaves a provider alone after three failures, and tries it again with one message after ten seconds", async () => {
  const { sender, send, broken, events, advance } = failOver();
  broken.add("aurora");
  await send();
  await send();
  await send();
  expect(events).toContain("aurora down");
  expect(sender.up()).toEqual([
    { provider: "aurora", up: false },
    { provider: "borealis", up: true },
  ]);
  await send();
  expect(events).toEqual(["try borealis"]);
  advance(10_000);
  const [first, second] = await Promise.all([sender.send(SMS), sender.send(SMS)]);
  expect([first.provider, second.provider]).toEqual(["borealis", "borealis"]);
  expect(events.filter((event) => event === "try aurora")).toHaveLength(1);
  advance(10_000);
  broken.clear();
  expect(await send()).toEqual({ outcome: "delivered", provider: "aurora" });
  expect(events).toEqual(["try aurora", "aurora up"]);
});

test("fails every message in an outage of all, trying each provider although all are down", async () => {
  const { send, broken, events } = failOver();
  broken.add("aurora").add("borealis");
  for (let i = 0; i < 5; i++) {
    expect(await send()).toMatchObject({ outcome: "failed", provider: "borealis" });
  }
  expect(events).toEqual(["try aurora", "aurora → borealis", "try borealis"]);
  broken.clear();
  expect(await send()).toEqual({ outcome: "delivered", provider: "aurora" });
});
