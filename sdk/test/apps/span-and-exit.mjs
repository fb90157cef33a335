import { trace } from "@opentelemetry/api";

trace.getTracer("app").startSpan("from the app").end();
process.stdout.write(`other sdk: ${JSON.stringify(globalThis.otherSdkSpans?.() ?? null)}\n`);
