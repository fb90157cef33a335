import { z } from "zod";
import { Fault, type FaultList } from "@tocsin/model";
import { errorMessage, TocsinError } from "@tocsin/platform";
import type { SampleServices } from "./sample-services.ts";

const FaultAnswer = z.object({ items: z.array(Fault) });
const TIMEOUT_MS = 2000;

/** The fault panels of all sample services as one. */
export class FaultPanel {
  readonly #samples: SampleServices;

  constructor(samples: SampleServices) {
    this.#samples = samples;
  }

  async list(): Promise<FaultList> {
    const lists = await Promise.all(
      this.#services().map(async ({ name, url }) => {
        if (!this.#samples.isRunning(name)) return [crashed(name)];
        const answer = await fetch(`${url}/faults`, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch(() => undefined);
        if (!answer?.ok) return [];
        const { items } = FaultAnswer.parse(await answer.json());
        return items.map((fault) => ({ service: name, ...fault }));
      }),
    );
    return { items: lists.flat() };
  }

  /** Turns a fault on or off. A crash keeps its service down until it is turned off. */
  async set(service: string, fault: string, active: boolean, params?: Record<string, number>): Promise<void> {
    const target = this.#services().find(({ name }) => name === service);
    if (!target) throw new TocsinError("TOCSIN_NOT_FOUND", `there is no sample service ${service}`);
    if (fault === "crash" && !active) return this.#samples.release(service);
    if (fault === "crash") this.#samples.hold(service);
    if (!this.#samples.isRunning(service)) {
      throw new TocsinError("TOCSIN_CONFLICT", `the sample service ${service} is not running; undo its crash first`);
    }
    const answer = await fetch(`${target.url}/faults/${fault}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ active, ...(params && { params }) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    }).catch((error: unknown) => errorMessage(error));
    if (fault === "crash" && typeof answer === "string") return;
    if (typeof answer === "string") {
      throw new TocsinError("TOCSIN_UNAVAILABLE", `the sample service ${service} does not answer: ${answer}`);
    }
    if (answer.status === 404)
      throw new TocsinError("TOCSIN_NOT_FOUND", `the sample service ${service} has no fault ${fault}`);
    if (!answer.ok)
      throw new TocsinError("TOCSIN_BAD_REQUEST", `the sample service ${service} refused: ${await answer.text()}`);
  }

  #services(): { name: string; url: string }[] {
    return this.#samples.specs.flatMap(({ name, url }) => (url === undefined ? [] : [{ name, url }]));
  }
}

function crashed(service: string): FaultList["items"][number] {
  return { service, name: "crash", description: "The process has ended and stays down.", active: true, params: {} };
}
