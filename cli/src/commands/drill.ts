import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { DrillRun, Problem } from "@tocsin/model";
import { errorMessage, TocsinError } from "@tocsin/platform";
import type { Command, CommandIo } from "../command.ts";
import { DRILLS } from "../demo/drills.ts";

const POLL_MS = 250;

export const drill: Command = {
  name: "drill",
  summary: "break a sample service on purpose and time what follows",
  help: () =>
    [
      "usage: tocsin drill NAME [--url BASE] [--sent-within SECONDS] [--resolved-within SECONDS]",
      "",
      "Injects the fault, prints when it was seen, pending, firing and sent, takes it back, and waits for the",
      "resolved message. Exits with 1 when a message does not arrive in time.",
      "",
      "  --url               where Tocsin runs (http://127.0.0.1:9400, TOCSIN_URL)",
      "  --sent-within       seconds from the fault to the messages in the inbox (45)",
      "  --resolved-within   seconds from its undoing to the resolved messages (60)",
      "",
      "drills:",
      ...DRILLS.map(({ name, description }) => `  ${name.padEnd(22)} ${description}`),
    ].join("\n"),
  async run(args, io) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        url: { type: "string", default: io.env["TOCSIN_URL"] ?? "http://127.0.0.1:9400" },
        "sent-within": { type: "string", default: "45" },
        "resolved-within": { type: "string", default: "60" },
      },
    });
    const [name] = positionals;
    if (name === undefined || positionals.length > 1) {
      io.err(this.help());
      return 2;
    }
    const limits = z
      .object({ sent: z.coerce.number().positive(), resolved: z.coerce.number().positive() })
      .parse({ sent: values["sent-within"], resolved: values["resolved-within"] });
    return runDrill(new DrillClient(values.url, name), limits, io);
  },
};

async function runDrill(
  client: DrillClient,
  limits: { sent: number; resolved: number },
  io: CommandIo,
): Promise<number> {
  const printed = new Set<string>();
  io.out(`drill ${client.name} at ${client.base}`);
  await client.call("POST");
  const undo = async () => void (await client.call("DELETE"));
  try {
    const sent = await follow(client, printed, ["sent", "failed"], limits.sent, io);
    if (!sent) {
      io.err(`failed: no alert message within ${limits.sent} s`);
      await undo();
      return 1;
    }
    await undo();
    const resolved = await follow(client, printed, ["done", "failed"], limits.resolved, io);
    if (!resolved) io.err(`failed: no resolved message within ${limits.resolved} s`);
    else io.out("passed");
    return resolved ? 0 : 1;
  } catch (error) {
    await undo().catch(() => io.err("the fault could not be taken back"));
    throw error;
  }
}

/** Prints each step as it happens; true when the run reached the first of `ends` in time. */
async function follow(
  client: DrillClient,
  printed: Set<string>,
  ends: readonly [DrillRun["state"], DrillRun["state"]],
  seconds: number,
  io: CommandIo,
): Promise<boolean> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const run = await client.call("GET");
    for (const step of run.steps) {
      if (step.elapsedMs === null || printed.has(step.name)) continue;
      printed.add(step.name);
      io.out(`  ${step.name.padEnd(9)} ${(step.elapsedMs / 1000).toFixed(1).padStart(6)} s  ${step.detail}`);
    }
    if (run.state === ends[1]) {
      io.err(run.error ?? "failed");
      return false;
    }
    if (run.state === ends[0]) {
      const last = run.steps.findLast((step) => step.elapsedMs !== null);
      return (last?.elapsedMs ?? Number.POSITIVE_INFINITY) <= seconds * 1000;
    }
    if (waitedMs > seconds * 1000) return false;
    await pause(POLL_MS, undefined, { signal: io.interrupted });
  }
}

class DrillClient {
  readonly base: string;
  readonly name: string;

  constructor(base: string, name: string) {
    this.base = base.replace(/\/$/, "");
    this.name = name;
  }

  async call(method: "GET" | "POST" | "DELETE"): Promise<DrillRun> {
    const url = `${this.base}/api/tocsin/v1/drills/${encodeURIComponent(this.name)}`;
    const answer = await fetch(url, { method }).catch((error: unknown) => {
      throw new TocsinError(
        "TOCSIN_UNAVAILABLE",
        `nothing answers at ${this.base} (${errorMessage(error)}); is \`npm start\` running?`,
      );
    });
    const body: unknown = await answer.json().catch(() => undefined);
    if (answer.ok) return DrillRun.parse(body);
    const problem = Problem.safeParse(body);
    throw new TocsinError(
      "TOCSIN_BAD_REQUEST",
      problem.success ? (problem.data.detail ?? problem.data.title) : `${answer.status} from ${url}`,
    );
  }
}
