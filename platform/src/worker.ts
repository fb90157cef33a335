import { extname } from "node:path";
import { parentPort, Worker, type TransferListItem, type WorkerOptions } from "node:worker_threads";
import { ERROR_CODES, errorMessage, TocsinError, type ErrorCode } from "./errors.ts";

/** The URL of a sibling module to run in a worker: `.ts` from source, `.js` from a build. `name` has no extension. */
export function siblingModule(importMetaUrl: string, name: string): URL {
  return new URL(`./${name}${extname(new URL(importMetaUrl).pathname)}`, importMetaUrl);
}

type Handlers = Record<string, (...args: never[]) => unknown>;
type Request = { id: number; method: string; args: unknown[] };
type Response =
  | { id: number; result: unknown }
  | { id: number; error: PortableError }
  | { event: string; payload: unknown };

/** An error as it crosses threads: structured clone alone would lose `code` and other own properties. */
interface PortableError {
  message: string;
  stack: string | undefined;
  properties: Record<string, unknown>;
}

/** The methods of `H` as seen from the other thread: every one answers with a promise. */
export type Remote<H extends Handlers> = {
  [K in keyof H]: (...args: Parameters<H[K]>) => Promise<Awaited<ReturnType<H[K]>>>;
};

const transfers = new WeakMap<object, TransferListItem[]>();

/** Marks a result or an argument so that the given buffers are moved, not copied, to the other thread. */
export function transfer<T extends object>(value: T, items: TransferListItem[]): T {
  transfers.set(value, items);
  return value;
}

/** In the worker: answers calls with the handlers. Returns a function that sends an event to the owner. */
export function serveWorker(handlers: Handlers): (event: string, payload: unknown) => void {
  const port = parentPort;
  if (!port) throw new Error("serveWorker runs in a worker thread only");
  const answer = async ({ id, method, args }: Request) => {
    try {
      const handler = handlers[method];
      if (!handler) throw new Error(`the worker has no method ${method}`);
      const result = await handler(...(args as never[]));
      const moved = typeof result === "object" && result !== null ? transfers.get(result) : undefined;
      port.postMessage({ id, result } satisfies Response, moved);
    } catch (error) {
      port.postMessage({ id, error: toPortable(error) } satisfies Response);
    }
  };
  port.on("message", (request: Request) => void answer(request));
  return (event, payload) => port.postMessage({ event, payload } satisfies Response);
}

export interface WorkerHandle<H extends Handlers> {
  readonly call: Remote<H>;
  /** Listens to events the worker sends. */
  on(event: string, listener: (payload: unknown) => void): void;
  /** Settles when the worker has ended; rejects when nobody asked it to. */
  readonly ended: Promise<void>;
  terminate(): Promise<void>;
}

/** Starts a module that calls `serveWorker` and returns its methods. Errors keep their message and `code`. */
export function startWorker<H extends Handlers>(url: URL, options: WorkerOptions = {}): WorkerHandle<H> {
  const worker = new Worker(url, options);
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: unknown) => void }>();
  const listeners = new Map<string, (payload: unknown) => void>();
  let nextId = 1;
  let terminating = false;
  let lost: TocsinError | undefined;
  worker.on("message", (message: Response) => {
    if ("event" in message) return listeners.get(message.event)?.(message.payload);
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if ("error" in message) call?.reject(fromPortable(message.error));
    else call?.resolve(message.result);
  });
  const ended = new Promise<void>((resolve, reject) => {
    let cause: unknown;
    worker.on("error", (error) => (cause = error));
    worker.on("exit", (code) => {
      const reason = cause === undefined ? `exit code ${code}` : errorMessage(cause);
      lost = new TocsinError("TOCSIN_WORKER_LOST", `worker ${url.pathname.split("/").pop()} ended: ${reason}`, {
        cause,
      });
      for (const call of waiting.values()) call.reject(lost);
      waiting.clear();
      if (terminating) resolve();
      else reject(lost);
    });
  });
  ended.catch(() => {});
  const call = new Proxy({} as Remote<H>, {
    get:
      (_, method: string) =>
      (...args: unknown[]) =>
        new Promise((resolve, reject) => {
          if (lost) return reject(lost);
          const id = nextId++;
          waiting.set(id, { resolve, reject });
          const moved = args.flatMap((arg) =>
            typeof arg === "object" && arg !== null ? (transfers.get(arg) ?? []) : [],
          );
          worker.postMessage({ id, method, args } satisfies Request, moved);
        }),
  });
  return {
    call,
    ended,
    on: (event, listener) => void listeners.set(event, listener),
    async terminate() {
      terminating = true;
      await worker.terminate();
      await ended.catch(() => {});
    },
  };
}

function toPortable(error: unknown): PortableError {
  if (!(error instanceof Error)) return { message: String(error), stack: undefined, properties: {} };
  const { name, message, stack } = error;
  return { message, stack, properties: { ...Object.fromEntries(Object.entries(error)), name } };
}

function fromPortable({ message, stack, properties }: PortableError): Error {
  const code = properties["code"];
  const error = isErrorCode(code) ? new TocsinError(code, message) : new Error(message);
  return Object.assign(error, properties, stack !== undefined && { stack });
}

function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(ERROR_CODES, code);
}
