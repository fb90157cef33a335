import { z } from "zod";
import {
  compareStrings,
  compileMatchers,
  matchesAll,
  sameMatchers,
  type CompiledMatcher,
  type Labels,
  type Matcher,
  type UnixMs,
} from "@tocsin/model";
import type { StateLog } from "../state/state-log.ts";

export type SilenceState = "pending" | "active" | "expired";

/** Mutes every alert that all its matchers match, from start to end. */
export interface Silence {
  readonly id: string;
  readonly matchers: readonly Matcher[];
  readonly startsAt: UnixMs;
  readonly endsAt: UnixMs;
  readonly updatedAt: UnixMs;
  readonly createdBy: string;
  readonly comment: string;
  readonly annotations: Readonly<Record<string, string>>;
}

const SilenceRecord = z.object({
  id: z.string(),
  matchers: z.array(z.object({ name: z.string(), type: z.enum(["=", "!=", "=~", "!~"]), value: z.string() })),
  startsAt: z.number(),
  endsAt: z.number(),
  updatedAt: z.number(),
  createdBy: z.string(),
  comment: z.string(),
  annotations: z.record(z.string(), z.string()),
});

export function silenceState(silence: Pick<Silence, "startsAt" | "endsAt">, at: UnixMs): SilenceState {
  if (silence.endsAt <= at) return "expired";
  return at < silence.startsAt ? "pending" : "active";
}

/** A silence as someone asks for it; with `id` it changes that one. */
export type SilenceRequest = Omit<Silence, "id" | "updatedAt"> & { readonly id?: string | undefined };

export type SetSilenceResult =
  | { readonly status: "ok"; readonly silence: Silence }
  | { readonly status: "unknown" }
  | { readonly status: "invalid"; readonly error: string };

export interface SilencesOptions {
  readonly log: StateLog;
  readonly newId: () => string;
  /** How long an expired silence stays listed. */
  readonly retentionMs: number;
  /** Silences kept at a time, expired ones counted; 0 is no limit. */
  readonly maxSilences: number;
  /** Bytes of one silence's JSON; 0 is no limit. */
  readonly maxSilenceBytes: number;
}

interface Kept {
  readonly silence: Silence;
  readonly compiled: readonly CompiledMatcher[];
}

/** Silences by what an alert must have: most demand one label's value, so that few have to be tried per alert. */
interface SilenceIndex {
  readonly byEquality: ReadonlyMap<string, readonly Kept[]>;
  readonly others: readonly Kept[];
}

function indexSilences(all: Iterable<Kept>): SilenceIndex {
  const byEquality = new Map<string, Kept[]>();
  const others: Kept[] = [];
  for (const kept of all) {
    const needed = kept.silence.matchers.find(({ type, value }) => type === "=" && value !== "");
    if (!needed) {
      others.push(kept);
      continue;
    }
    const key = equalityKey(needed.name, needed.value);
    const list = byEquality.get(key);
    if (list) list.push(kept);
    else byEquality.set(key, [kept]);
  }
  return { byEquality, others };
}

const equalityKey = (name: string, value: string) => `${name}\xff${value}`;

/** All silences with their life cycle; survives restarts. */
export class Silences {
  readonly #options: SilencesOptions;
  readonly #kept = new Map<string, Kept>();
  /** Made when it is asked for, forgotten when a silence changes. */
  #index: SilenceIndex | undefined;

  constructor(options: SilencesOptions) {
    this.#options = options;
  }

  async load(at: UnixMs): Promise<void> {
    for (const record of await this.#options.log.load()) this.#keep(SilenceRecord.parse(record));
    this.collectGarbage(at);
  }

  get(id: string): Silence | undefined {
    return this.#kept.get(id)?.silence;
  }

  *values(): Generator<Silence> {
    for (const { silence } of this.#kept.values()) yield silence;
  }

  /** Ids of the active silences that match, in order; none means the alert is not silenced. */
  mutes(labels: Labels, at: UnixMs): string[] {
    this.#index ??= indexSilences(this.#kept.values());
    const ids: string[] = [];
    const look = (candidates: readonly Kept[]) => {
      for (const { silence, compiled } of candidates)
        if (silence.startsAt <= at && at < silence.endsAt && matchesAll(compiled, labels)) ids.push(silence.id);
    };
    look(this.#index.others);
    if (this.#index.byEquality.size > 0) {
      for (const name in labels) {
        const candidates = this.#index.byEquality.get(equalityKey(name, labels[name] as string));
        if (candidates) look(candidates);
      }
    }
    return ids.length > 1 ? ids.sort(compareStrings) : ids;
  }

  /**
   * Creates a silence, or changes the one named by `id`: in place where its past stays true, else by expiring it and
   * creating another. Rejects when it could not be written; then nothing has changed.
   */
  async set(request: SilenceRequest, at: UnixMs): Promise<SetSilenceResult> {
    const error = this.#mistakeIn(request, at);
    if (error !== undefined) return { status: "invalid", error };
    const previous = request.id === undefined ? undefined : this.get(request.id);
    if (request.id !== undefined && !previous) return { status: "unknown" };
    if (previous && changesInPlace(previous, request, at))
      return this.#store([{ ...request, id: previous.id, updatedAt: at }]);
    const limit = this.#options.maxSilences;
    if (limit > 0 && this.#kept.size >= limit)
      return { status: "invalid", error: `exceeded maximum number of silences: ${limit} (limit)` };
    const created: Silence = {
      ...request,
      id: this.#options.newId(),
      startsAt: Math.max(request.startsAt, at),
      updatedAt: at,
    };
    const ended = previous && silenceState(previous, at) !== "expired" ? [endNow(previous, at)] : [];
    return this.#store([...ended, created]);
  }

  /** Ends a silence; ending an expired one changes nothing. */
  async expire(id: string, at: UnixMs): Promise<"ok" | "unknown"> {
    const silence = this.get(id);
    if (!silence) return "unknown";
    if (silenceState(silence, at) !== "expired") await this.#store([endNow(silence, at)]);
    return "ok";
  }

  collectGarbage(at: UnixMs): number {
    let removed = 0;
    for (const { id, endsAt } of this.values()) {
      if (endsAt + this.#options.retentionMs > at) continue;
      this.#kept.delete(id);
      this.#index = undefined;
      removed++;
    }
    return removed;
  }

  snapshot(): Promise<void> {
    return this.#options.log.snapshot(this.values());
  }

  async #store(silences: readonly Silence[]): Promise<SetSilenceResult> {
    const before = silences.map(({ id }) => this.#kept.get(id));
    for (const silence of silences) this.#keep(silence);
    try {
      await this.#options.log.append(silences);
    } catch (error) {
      for (const [i, { id }] of silences.entries()) this.#restore(id, before[i]);
      throw error;
    }
    return { status: "ok", silence: silences.at(-1) as Silence };
  }

  #restore(id: string, kept: Kept | undefined): void {
    this.#index = undefined;
    if (kept) this.#kept.set(id, kept);
    else this.#kept.delete(id);
  }

  #keep(silence: Silence): void {
    this.#index = undefined;
    this.#kept.set(silence.id, { silence, compiled: compileMatchers(silence.matchers) });
  }

  #mistakeIn(request: SilenceRequest, at: UnixMs): string | undefined {
    if (request.startsAt >= request.endsAt) return "Failed to create silence: start time must be before end time";
    if (request.endsAt < at) return "Failed to create silence: end time can't be in the past";
    if (request.matchers.length === 0) return "invalid silence: at least one matcher required";
    if (compileMatchers(request.matchers).every((matcher) => matcher.matches("")))
      return "invalid silence: at least one matcher must not match the empty string";
    const { maxSilenceBytes } = this.#options;
    const bytes = Buffer.byteLength(JSON.stringify(request));
    if (maxSilenceBytes > 0 && bytes > maxSilenceBytes)
      return `silence exceeded maximum size: ${bytes} bytes (limit: ${maxSilenceBytes} bytes)`;
    return undefined;
  }
}

/** Whether the change leaves what the silence has done so far as it was. */
function changesInPlace(previous: Silence, request: SilenceRequest, at: UnixMs): boolean {
  if (!sameMatchers(previous.matchers, request.matchers)) return false;
  switch (silenceState(previous, at)) {
    case "active":
      return toSecond(request.startsAt) === toSecond(previous.startsAt) && request.endsAt >= at;
    case "pending":
      return request.startsAt >= at;
    case "expired":
      return false;
  }
}

const toSecond = (ms: UnixMs) => Math.floor(ms / 1000);

function endNow(silence: Silence, at: UnixMs): Silence {
  return { ...silence, startsAt: Math.min(silence.startsAt, at), endsAt: at, updatedAt: at };
}

/** Active ones by end, pending ones by start, then expired ones by end, latest first. */
export function compareSilences(a: Silence, b: Silence, at: UnixMs): number {
  const x = silenceState(a, at);
  const y = silenceState(b, at);
  if (x !== y) return STATE_ORDER[x] - STATE_ORDER[y];
  switch (x) {
    case "active":
      return a.endsAt - b.endsAt;
    case "pending":
      return a.startsAt - b.startsAt;
    case "expired":
      return b.endsAt - a.endsAt;
  }
}

const STATE_ORDER: Record<SilenceState, number> = { active: 0, pending: 1, expired: 2 };
