import { isSpanContextValid, type SpanContext, trace } from "@opentelemetry/api";
import { subscribeAll } from "./channels.ts";

/** A line that pino has written, as text: redaction and serializers have done their work on it. */
export interface PinoLine {
  line: string;
  /** pino's own numbers: 10 trace … 60 fatal. */
  level: number;
  messageKey: string;
  errorKey: string;
  span: SpanContext | undefined;
}

/** What `asJson` was called for: on which logger, with which arguments, and what it made of them. */
interface AsJsonMessage {
  instance: Record<symbol, unknown>;
  arguments: ArrayLike<unknown>;
  result?: unknown;
}

/** The symbols (`pino.symbols`) under which this pino keeps what is needed here. */
interface PinoSymbols {
  chindings: symbol;
  messageKey: symbol | undefined;
  errorKey: symbol | undefined;
}

/**
 * Adds `trace_id`, `span_id` and `service` to every line of pino, in the thread that logs, and hands the line on. The
 * fields go into the logger's ready-made bindings for the time of one line, so that the app's objects stay untouched.
 */
export function instrumentPino(
  service: string,
  onLine: (line: PinoLine) => void,
  onError: (error: unknown) => void,
): Disposable {
  const serviceField = `,"service":${JSON.stringify(service)}`;
  const open = new WeakMap<object, { symbols: PinoSymbols; bindings: string; span: SpanContext | undefined }>();
  return subscribeAll(
    {
      "tracing:pino_asJson:start": (message: AsJsonMessage) => {
        const { instance } = message;
        const symbols = symbolsOf(instance);
        const bindings = symbols === undefined ? undefined : instance[symbols.chindings];
        if (symbols === undefined || typeof bindings !== "string") return;
        const active = trace.getActiveSpan()?.spanContext();
        const span = active !== undefined && isSpanContextValid(active) ? active : undefined;
        open.set(message, { symbols, bindings, span });
        const ids = span === undefined ? "" : `,"trace_id":"${span.traceId}","span_id":"${span.spanId}"`;
        instance[symbols.chindings] = bindings + (bindings.includes('"service":') ? "" : serviceField) + ids;
      },
      "tracing:pino_asJson:end": (message: AsJsonMessage) => {
        const { instance, result } = message;
        const opened = open.get(message);
        if (opened === undefined) return;
        const { symbols, bindings, span } = opened;
        instance[symbols.chindings] = bindings;
        const level = message.arguments[2];
        if (typeof result !== "string" || typeof level !== "number") return;
        onLine({
          line: result,
          level,
          messageKey: textAt(instance, symbols.messageKey) ?? "msg",
          errorKey: textAt(instance, symbols.errorKey) ?? "err",
          span,
        });
      },
    },
    onError,
  );
}

function textAt(instance: Record<symbol, unknown>, key: symbol | undefined): string | undefined {
  const value = key === undefined ? undefined : instance[key];
  return typeof value === "string" ? value : undefined;
}

let known: PinoSymbols | undefined;

/** Finds pino's symbols on the logger or what it inherits from; they are the same for all loggers of one copy of pino. */
function symbolsOf(instance: Record<symbol, unknown>): PinoSymbols | undefined {
  if (known !== undefined && known.chindings in instance) return known;
  const found = new Map<string | undefined, symbol>();
  for (let level: object | null = instance; level !== null; level = Object.getPrototypeOf(level) as object | null) {
    for (const symbol of Object.getOwnPropertySymbols(level)) found.set(symbol.description, symbol);
  }
  const chindings = found.get("pino.chindings");
  if (chindings === undefined) return undefined;
  known = { chindings, messageKey: found.get("pino.messageKey"), errorKey: found.get("pino.errorKey") };
  return known;
}
