import type { Signal } from "../signal.ts";

export interface Inspection {
  /** Log records, spans, or metric data points. */
  records: number;
  /** service.name of the first resource; empty when it has none. */
  service: string;
}

/**
 * Walks a protobuf export request down to every field without building objects, so that what it accepts also decodes.
 * Throws OtlpDecodeError.
 */
export function inspect(_signal: Signal, _bytes: Uint8Array): Inspection {
  throw new Error("not built yet");
}
