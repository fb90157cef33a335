import {
  context,
  propagation,
  ProxyTracerProvider,
  trace,
  type TracerProvider as ApiTracerProvider,
} from "@opentelemetry/api";
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from "@opentelemetry/core";
import { type ReadableSpan, type Sampler, type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import type { AsyncContextManager } from "../context.ts";

/** How the SDK came by its tracer provider. */
export type Attachment =
  /** It is ours. */
  | "own"
  /** Somebody else's; finished spans come to us too. */
  | "attached"
  /** Somebody else's, of a kind that takes no further processor: their exporter alone has the spans. */
  | "foreign";

/**
 * Registers a tracer provider, context and propagation with the OpenTelemetry API, or joins the provider that another SDK
 * has registered before. `onEnd` gets each finished, sampled span.
 */
export function joinTracing(
  contextManager: AsyncContextManager,
  sampler: Sampler,
  onEnd: (span: ReadableSpan) => void,
): Attachment {
  const processor: SpanProcessor = {
    onStart() {},
    onEnd(span) {
      if ((span.spanContext().traceFlags & 1) === 1) onEnd(span);
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
  const existing = registeredProvider();
  if (existing !== undefined) return attach(existing, processor) ? "attached" : "foreign";
  trace.setGlobalTracerProvider(new TracerProvider({ sampler, spanProcessors: [processor] }));
  context.setGlobalContextManager(contextManager);
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  );
  return "own";
}

/** Gives up what `joinTracing` registered as "own". */
export function leaveTracing(): void {
  trace.disable();
  context.disable();
  propagation.disable();
}

function registeredProvider(): ApiTracerProvider | undefined {
  const global = trace.getTracerProvider();
  if (!(global instanceof ProxyTracerProvider)) return undefined;
  const delegate = global.getDelegate();
  // The API has no "is one registered?"; its placeholder is the only provider whose spans record nothing by class name.
  return delegate.constructor.name === "NoopTracerProvider" ? undefined : delegate;
}

/**
 * OpenTelemetry's SDK 1.x has `addSpanProcessor`; 2.x and 3.x hold a list that has no public way in, which is reached for
 * here because the alternative is to lose the spans.
 */
function attach(provider: ApiTracerProvider, processor: SpanProcessor): boolean {
  const { addSpanProcessor, _activeSpanProcessor } = provider as {
    addSpanProcessor?: (processor: SpanProcessor) => void;
    _activeSpanProcessor?: { _spanProcessors?: SpanProcessor[] };
  };
  if (typeof addSpanProcessor === "function") addSpanProcessor.call(provider, processor);
  else if (Array.isArray(_activeSpanProcessor?._spanProcessors)) _activeSpanProcessor._spanProcessors.push(processor);
  else return false;
  return true;
}
