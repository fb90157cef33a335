import type { Signal, UnixMs } from "@tocsin/model";

/** A request that was refused for good, or never understood. */
export interface Reject {
  at: UnixMs;
  signal: Signal;
  /** The receiver: `otlp_http`. */
  source: string;
  /** Names the place in the payload where there is one. */
  reason: string;
  bytes: number;
  /** The payload's beginning, fit to print. */
  excerpt: string;
}

const MAX_REJECTS = 200;
const EXCERPT_CHARS = 500;

/** The newest rejects, newest first. */
export class RejectList {
  #rejects: Reject[] = [];

  add(reject: Reject): void {
    this.#rejects = [reject, ...this.#rejects.slice(0, MAX_REJECTS - 1)];
  }

  list(): readonly Reject[] {
    return this.#rejects;
  }
}

/** The beginning of a payload as one line of printable text; a dot stands for everything else. */
export function excerptOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.byteLength, EXCERPT_CHARS * 4)).toString(
    "utf8",
  );
  return text.slice(0, EXCERPT_CHARS).replaceAll(/[^\P{C}]|\ufffd/gu, ".");
}
