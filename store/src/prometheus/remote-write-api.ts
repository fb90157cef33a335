import { METRIC_NAME, ProtobufError, type WriteRequest } from "@tocsin/model";
import { TocsinError } from "@tocsin/platform";
import type { FastifyInstance, FastifyReply } from "fastify";
import type { AppendResult } from "../metrics/sample-writer.ts";
import type { DecodedSeries, DecodedWrite } from "./wire/decoded-write.ts";
import { SnappyError, snappyUncompress } from "./wire/snappy.ts";
import { decodeV1 } from "./wire/write-v1.ts";
import { decodeV2 } from "./wire/write-v2.ts";

export interface RemoteWriteApiOptions {
  /** Takes what may be taken and tells how much that was; rejects when all of it has to come again. */
  store: { take(request: WriteRequest): Promise<AppendResult> };
  /** Bytes of a request as it comes; default 16 MiB. */
  maxBodyBytes?: number;
  /** Bytes of a request when uncompressed; default 64 MiB. */
  maxDecodedBytes?: number;
}

const MIB = 1024 * 1024;
const MESSAGES = {
  "prometheus.WriteRequest": decodeV1,
  "io.prometheus.write.v2.Request": decodeV2,
} as const;

/** What was written of a request, for the headers of the answer. */
interface Written {
  samples: number;
  histograms: number;
  exemplars: number;
}

/** A request that is answered with this status; the sender will not repeat it, but for 429 and 5xx. */
class WriteError extends Error {
  override readonly name = "WriteError";
  readonly status: number;

  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/**
 * A Fastify plugin: `POST /api/v1/write` takes remote write 1.0 and 2.0, told apart by the content type. 204 when all was
 * taken; 400 when some never will be, the rest being written; 415 for another message or compression; 413 beyond the
 * limits; 503 with Retry-After when it has to come again. What was written stands in the headers that 2.0 demands.
 */
export async function remoteWriteApi(app: FastifyInstance, options: RemoteWriteApiOptions): Promise<void> {
  const { store, maxBodyBytes = 16 * MIB, maxDecodedBytes = 64 * MIB } = options;
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", { parseAs: "buffer", bodyLimit: maxBodyBytes }, (_request, body, done) =>
    done(null, body),
  );
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error);
    if (status >= 500 && !(error instanceof TocsinError)) {
      request.log.error({ err: error }, "remote write failed");
    }
    if (status === 503) reply.header("retry-after", "1");
    writtenHeaders(reply, { samples: 0, histograms: 0, exemplars: 0 });
    const told = status === 500 ? "an unexpected error; the log has the details" : (error as Error).message;
    return reply.code(status).type("text/plain; charset=utf-8").send(`${told}\n`);
  });
  app.post("/api/v1/write", { bodyLimit: maxBodyBytes }, async (request, reply) => {
    const decode = decoderFor(request.headers["content-type"]);
    checkEncoding(request.headers["content-encoding"]);
    const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
    const decoded = await decodeBody(body, decode, maxDecodedBytes);
    leaveOutUnnamed(decoded);
    const { written, refused } = await write(store, decoded);
    writtenHeaders(reply, written);
    const reasons = [...Object.entries(refused).map(([reason, n]) => `${n} samples: ${reason}`), ...decoded.invalid];
    if (reasons.length === 0) return reply.code(204).send();
    const shown = reasons.slice(0, 5).join("; ") + (reasons.length > 5 ? `; and ${reasons.length - 5} more` : "");
    return reply.code(400).type("text/plain; charset=utf-8").send(`not everything was written: ${shown}\n`);
  });
}

/** `application/x-protobuf` alone, or nothing at all, means 1.0. */
function decoderFor(contentType: string | undefined): (bytes: Uint8Array) => DecodedWrite {
  if (contentType === undefined) return decodeV1;
  const [type = "", ...parameters] = contentType.split(";").map((part) => part.trim());
  if (type.toLowerCase() !== "application/x-protobuf") {
    throw new WriteError(415, `expected application/x-protobuf, not ${contentType}`);
  }
  const proto = parameters.find((parameter) => parameter.startsWith("proto="))?.slice("proto=".length);
  if (proto === undefined) return decodeV1;
  if (Object.hasOwn(MESSAGES, proto)) return MESSAGES[proto as keyof typeof MESSAGES];
  throw new WriteError(415, `message ${proto} is not known; known are ${Object.keys(MESSAGES).join(" and ")}`);
}

function checkEncoding(encoding: string | undefined): void {
  if (encoding === undefined || encoding.toLowerCase() === "snappy") return;
  throw new WriteError(415, `content encoding ${encoding} is not known; use snappy`);
}

async function decodeBody(
  body: Uint8Array,
  decode: (bytes: Uint8Array) => DecodedWrite,
  maxBytes: number,
): Promise<DecodedWrite> {
  try {
    return decode(await snappyUncompress(body, maxBytes));
  } catch (cause) {
    if (cause instanceof SnappyError) throw new WriteError(cause.tooLarge ? 413 : 400, cause.message, { cause });
    if (cause instanceof ProtobufError)
      throw new WriteError(400, `${cause.message} (at byte ${cause.offset})`, { cause });
    throw cause;
  }
}

/** The protocol demands a name; the store would do without. */
function leaveOutUnnamed(decoded: DecodedWrite): void {
  const named = decoded.series.filter(({ labels }) => labels[METRIC_NAME] !== undefined);
  for (let i = named.length; i < decoded.series.length; i++) decoded.invalid.push("a series has no name");
  decoded.series = named;
}

/** Floats and histograms apart, since the answer has to tell how many of each were written. */
async function write(
  store: RemoteWriteApiOptions["store"],
  { series, metadata }: DecodedWrite,
): Promise<{ written: Written; refused: AppendResult["refused"] }> {
  const isHistogram = ({ samples: [first] }: DecodedSeries) => first?.histogram !== undefined;
  const [floats, histograms] = [series.filter((one) => !isHistogram(one)), series.filter(isHistogram)];
  const taken = await store.take({ series: floats, metadata });
  const takenHistograms = histograms.length > 0 ? await store.take({ series: histograms }) : undefined;
  const refused = { ...taken.refused };
  for (const [reason, count] of Object.entries(takenHistograms?.refused ?? {})) {
    const key = reason as keyof typeof refused;
    refused[key] = (refused[key] ?? 0) + count;
  }
  return {
    written: {
      samples: taken.taken,
      histograms: takenHistograms?.taken ?? 0,
      exemplars: taken.exemplars + (takenHistograms?.exemplars ?? 0),
    },
    refused,
  };
}

function writtenHeaders(reply: FastifyReply, { samples, histograms, exemplars }: Written): void {
  reply.headers({
    "x-prometheus-remote-write-samples-written": String(samples),
    "x-prometheus-remote-write-histograms-written": String(histograms),
    "x-prometheus-remote-write-exemplars-written": String(exemplars),
  });
}

function statusOf(error: unknown): number {
  if (error instanceof WriteError) return error.status;
  if (error instanceof TocsinError) return 503;
  const status = error instanceof Error && "statusCode" in error ? error.statusCode : undefined;
  return typeof status === "number" ? status : 500;
}
