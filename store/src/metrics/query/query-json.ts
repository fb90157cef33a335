import { QueryError, type QueryResult, resultToJson } from "@tocsin/promql";
import type { Pacer } from "../pacer.ts";

/** How a query went, for `stats=true`. Seconds; samples as loaded from the store. */
export interface QueryStats {
  queueTime: number;
  evalTime: number;
  samples: number;
}

export const TRUNCATED = "results truncated due to limit";

/** More than any client can use, and far less than brings the store's thread down. */
const MAX_BODY_BYTES = 256 * 1024 * 1024;

export interface BodyOptions {
  /** Elements of the result, 0 for all. */
  limit: number;
  stats?: QueryStats;
  /** Default MAX_BODY_BYTES. */
  maxBytes?: number;
  /** Lets others have their turn between series. */
  pacer: Pacer;
}

/**
 * The body of a successful answer of `/api/v1/query` and `/api/v1/query_range`, written one series at a time. Rejects
 * with QueryError when it becomes too large.
 */
export async function queryBody(result: QueryResult, options: BodyOptions): Promise<Uint8Array<ArrayBuffer>> {
  const body = new BodyWriter(options.maxBytes ?? MAX_BODY_BYTES);
  const truncated = truncate(result, options.limit);
  body.write(`{"status":"success","data":{"resultType":"${result.type}","result":`);
  for (const piece of resultPieces(result)) {
    body.write(piece);
    await options.pacer.breathe();
  }
  if (options.stats) body.write(`,"stats":${JSON.stringify(statsJson(options.stats))}`);
  body.write("}");
  body.write(listJson("warnings", truncated ? [...result.warnings, TRUNCATED] : result.warnings));
  body.write(listJson("infos", result.infos));
  body.write("}");
  return body.bytes();
}

function* resultPieces(result: QueryResult): Generator<string> {
  if (result.type !== "matrix") {
    yield JSON.stringify(resultToJson(result).result);
    return;
  }
  let separator = "[";
  for (const series of result.series) {
    const [json] = resultToJson({ ...result, series: [series] }).result as [unknown];
    yield separator + JSON.stringify(json);
    separator = ",";
  }
  yield separator === "[" ? "[]" : "]";
}

class BodyWriter {
  readonly #maxBytes: number;
  readonly #pieces: Buffer[] = [];
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  write(text: string): void {
    const piece = Buffer.from(text);
    this.#length += piece.length;
    if (this.#length > this.#maxBytes) {
      const limit = `${Math.floor(this.#maxBytes / 1024 / 1024)} MiB`;
      throw new QueryError("execution", `the answer is larger than ${limit}; ask for fewer series or a larger step`);
    }
    this.#pieces.push(piece);
  }

  /** In a buffer of its own, so that it can be moved to another thread. */
  bytes(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}

function truncate(result: QueryResult, limit: number): boolean {
  const list = result.type === "vector" ? result.samples : result.type === "matrix" ? result.series : [];
  if (limit === 0 || list.length <= limit) return false;
  list.length = limit;
  return true;
}

function listJson(name: string, items: readonly string[]): string {
  return items.length > 0 ? `,"${name}":${JSON.stringify(items)}` : "";
}

function statsJson({ queueTime, evalTime, samples }: QueryStats) {
  return {
    timings: {
      evalTotalTime: evalTime,
      resultSortTime: 0,
      queryPreparationTime: 0,
      innerEvalTime: evalTime,
      execQueueTime: queueTime,
      execTotalTime: queueTime + evalTime,
    },
    samples: { totalQueryableSamples: samples, peakSamples: samples },
  };
}
