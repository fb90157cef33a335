import { backoffMs, sleep, TocsinError, type BackoffOptions, type Clock } from "@tocsin/platform";
import { ServerRefused, type Connection } from "./connection.ts";

export interface BulkDocument {
  index: string;
  id: string;
  /** One line of JSON. */
  source: string;
}

/** What became of a document: a document that came before was written over; a refused one will never be taken. */
export type BulkOutcome = { status: "created" } | { status: "replaced" } | { status: "refused"; reason: string };

export interface BulkWriterOptions {
  connection: Pick<Connection, "request">;
  clock: Clock;
  maxBytes: number;
  concurrency: number;
  /** How long a document is tried; then its write rejects. */
  timeoutMs: number;
  random?: () => number;
  onRetry?: (reason: "rejected" | "unreachable" | "refused") => void;
}

interface Job {
  lines: string;
  deadline: number;
  refresh: boolean;
  settle: (outcome: BulkOutcome) => void;
  fail: (error: unknown) => void;
}

const RETRY: BackoffOptions = { initialMs: 100, maxMs: 5000, factor: 2, jitter: 0.5 };
const TOO_MANY = 429;
const TOO_LARGE = 413;

/**
 * Joins documents of any number of callers into bulk requests and finds out what became of each. Documents that the server
 * is too busy for, or that are lost on the way, are sent again after a growing pause; their ids make that safe. Holds nothing
 * back by itself: the caller bounds what is pending.
 */
export class BulkWriter {
  readonly #options: BulkWriterOptions;
  readonly #random: () => number;
  readonly #stopping = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  #waiting: Job[] = [];
  #scheduled = false;

  constructor(options: BulkWriterOptions) {
    this.#options = options;
    this.#random = options.random ?? Math.random;
  }

  /** Resolves with what became of each document, in order; rejects when one of them could not be brought to an end in time. */
  async write(documents: readonly BulkDocument[], { refresh }: { refresh: boolean }): Promise<BulkOutcome[]> {
    if (this.#stopping.signal.aborted) throw stopped();
    const deadline = this.#options.clock.now() + this.#options.timeoutMs;
    const outcomes = documents.map(
      ({ index, id, source }) =>
        new Promise<BulkOutcome>((settle, fail) => {
          const lines = `${JSON.stringify({ index: { _index: index, _id: id } })}\n${source}\n`;
          this.#waiting.push({ lines, deadline, refresh, settle, fail });
        }),
    );
    this.#pumpSoon();
    return Promise.all(outcomes);
  }

  /** Gives up what waits; what is on its way is answered or given up. */
  async stop(): Promise<void> {
    this.#stopping.abort(stopped());
    for (const job of this.#waiting.splice(0)) job.fail(stopped());
    await Promise.all(this.#sending);
  }

  /** After what else happens at this moment, so that messages that come together go together. */
  #pumpSoon(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#waiting.length > 0 && this.#sending.size < this.#options.concurrency) {
      const jobs = this.#take();
      const sending = this.#deliver(jobs)
        .catch((error: unknown) => {
          for (const job of jobs) job.fail(error);
        })
        .finally(() => {
          this.#sending.delete(sending);
          this.#pump();
        });
      this.#sending.add(sending);
    }
  }

  #take(): Job[] {
    let bytes = 0;
    const end = this.#waiting.findIndex(({ lines }, i) => {
      bytes += lines.length;
      return i > 0 && bytes > this.#options.maxBytes;
    });
    return this.#waiting.splice(0, end < 0 ? this.#waiting.length : end);
  }

  async #deliver(jobs: readonly Job[]): Promise<void> {
    const { clock, onRetry } = this.#options;
    let left = jobs;
    for (let attempt = 1; left.length > 0; attempt++) {
      const { again, reason, error } = await this.#attempt(left);
      if (again.length === 0) return;
      onRetry?.(reason);
      const pauseMs = backoffMs(RETRY, attempt, this.#random);
      const due = clock.now() + pauseMs;
      left = again.filter((job) => {
        if (due < job.deadline && !this.#stopping.signal.aborted) return true;
        job.fail(error);
        return false;
      });
      if (left.length > 0) await sleep(clock, pauseMs, this.#stopping.signal);
    }
  }

  /** Sends once; settles what is decided and returns the rest. */
  async #attempt(jobs: readonly Job[]): Promise<Attempt> {
    try {
      return settle(jobs, await this.#send(jobs));
    } catch (error) {
      if (this.#stopping.signal.aborted) throw stopped();
      if (error instanceof ServerRefused && error.status === TOO_LARGE) return this.#inHalves(jobs, error);
      if (error instanceof ServerRefused) {
        return { again: jobs, reason: error.status === TOO_MANY ? "rejected" : "refused", error: unwritten(error) };
      }
      if (error instanceof TocsinError) return { again: jobs, reason: "unreachable", error };
      throw error;
    }
  }

  async #inHalves(jobs: readonly Job[], error: ServerRefused): Promise<Attempt> {
    const [only] = jobs;
    if (jobs.length === 1 && only) {
      only.settle({ status: "refused", reason: `larger than the server takes: ${error.message}` });
      return { again: [], reason: "refused", error };
    }
    const middle = Math.ceil(jobs.length / 2);
    const first = await this.#attempt(jobs.slice(0, middle));
    const second = await this.#attempt(jobs.slice(middle));
    const { reason, error: why } = first.again.length > 0 ? first : second;
    return { again: [...first.again, ...second.again], reason, error: why };
  }

  #send(jobs: readonly Job[]): Promise<BulkAnswer> {
    return this.#options.connection.request<BulkAnswer>({
      method: "POST",
      path: "/_bulk",
      query: {
        filter_path: "items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason",
        ...(jobs.some(({ refresh }) => refresh) && { refresh: "true" }),
      },
      lines: jobs.map(({ lines }) => lines).join(""),
      timeoutMs: this.#options.timeoutMs,
      signal: this.#stopping.signal,
    });
  }
}

interface Attempt {
  again: readonly Job[];
  reason: "rejected" | "unreachable" | "refused";
  error: unknown;
}

interface BulkAnswer {
  items?: { index?: BulkItem }[];
}

interface BulkItem {
  status: number;
  error?: { type: string; reason?: string; caused_by?: { reason?: string } };
}

/** Errors that say something of the document itself; any other 400 is about the index or the cluster. */
const OF_THE_DOCUMENT = new Set([
  "document_parsing_exception",
  "mapper_parsing_exception",
  "strict_dynamic_mapping_exception",
  "parsing_exception",
  "max_bytes_length_exceeded_exception",
  "x_content_parse_exception",
  "input_coercion_exception",
]);

/** Lucene's complaint of a term or field comes under a name that stands for a missing pipeline, too. */
const isOfTheDocument = ({ type, reason = "" }: NonNullable<BulkItem["error"]>): boolean =>
  OF_THE_DOCUMENT.has(type) || (type === "illegal_argument_exception" && /\b(field|term|value)\b/i.test(reason));

function settle(jobs: readonly Job[], { items }: BulkAnswer): Attempt {
  if (items?.length !== jobs.length) {
    const error = new TocsinError("TOCSIN_UNAVAILABLE", "the answer to a bulk request does not say what became of it");
    return { again: jobs, reason: "unreachable", error };
  }
  const again: Job[] = [];
  let last: { status: number; reason: string } | undefined;
  for (const [i, job] of jobs.entries()) {
    const item = items[i]?.index ?? { status: 0 };
    const reason = `${item.error?.type}: ${item.error?.reason}${causeOf(item)}`;
    if (item.status === 201) job.settle({ status: "created" });
    else if (item.status === 200) job.settle({ status: "replaced" });
    else if (item.status === 400 && item.error && isOfTheDocument(item.error)) {
      job.settle({ status: "refused", reason });
    } else {
      again.push(job);
      last = { status: item.status, reason };
    }
  }
  return {
    again,
    reason: last?.status === TOO_MANY ? "rejected" : "refused",
    error: new TocsinError("TOCSIN_UNAVAILABLE", `Elasticsearch does not write: ${last?.reason}`),
  };
}

const causeOf = ({ error }: BulkItem): string =>
  error?.caused_by?.reason === undefined ? "" : ` (${error.caused_by.reason})`;

const unwritten = (cause: ServerRefused): TocsinError =>
  new TocsinError("TOCSIN_UNAVAILABLE", `Elasticsearch does not write: ${cause.message}`, { cause });

const stopped = (): TocsinError => new TocsinError("TOCSIN_STOPPING", "the store is stopped");
