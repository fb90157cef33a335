import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { gunzip, gunzipSync } from "node:zlib";
import { errorMessage } from "@tocsin/platform";
import type { Lease } from "../otlp/admission.ts";

/** Why a request is not taken, as the HTTP answer has it. */
export class Refusal extends Error {
  readonly status: 400 | 413 | 415 | 429 | 499;
  readonly bytes: number;

  constructor(status: Refusal["status"], message: string, bytes = 0) {
    super(message);
    this.status = status;
    this.bytes = bytes;
  }
}

/** Up to here unzipping in place is cheaper than the trip to the thread pool and does not hold up the event loop. */
const SYNC_GUNZIP_BYTES = 64 * 1024;
const gunzipAsync = promisify(gunzip);

/** Reads a request's body and unzips it. The lease grows with it. Throws Refusal. */
export async function readBody(request: IncomingMessage, maxBytes: number, lease: Lease): Promise<Uint8Array> {
  const encoding = (request.headers["content-encoding"] ?? "identity").trim().toLowerCase();
  if (encoding !== "identity" && encoding !== "gzip" && encoding !== "") {
    throw new Refusal(415, `content-encoding ${encoding} is not supported; send gzip or no encoding`);
  }
  const body = await readRaw(request, maxBytes, lease);
  return encoding === "gzip" ? unzip(body, maxBytes, lease) : body;
}

function readRaw(request: IncomingMessage, maxBytes: number, lease: Lease): Promise<Uint8Array> {
  const declared = Number(request.headers["content-length"] ?? Number.NaN);
  if (declared > maxBytes) throw tooLarge(maxBytes, `is ${declared} bytes`, declared);
  if (declared > 0 && !lease.grow(declared)) throw full();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const fail = (refusal: Refusal) => {
      request.off("data", onData);
      reject(refusal);
    };
    const onData = (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) return fail(tooLarge(maxBytes, "is longer", length));
      if (Number.isNaN(declared) && !lease.grow(chunk.length)) return fail(full());
      chunks.push(chunk);
    };
    request.on("data", onData);
    request.once("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length)));
    const aborted = () => fail(new Refusal(499, "the client closed the connection inside the body", length));
    request.once("error", aborted);
    request.once("close", () => {
      if (!request.complete) aborted();
    });
  });
}

async function unzip(body: Uint8Array, maxBytes: number, lease: Lease): Promise<Uint8Array> {
  const options = { maxOutputLength: maxBytes };
  try {
    const unzipped = body.length <= SYNC_GUNZIP_BYTES ? gunzipSync(body, options) : await gunzipAsync(body, options);
    if (!lease.grow(unzipped.length)) throw full();
    return unzipped;
  } catch (error) {
    if (error instanceof Refusal) throw error;
    if (error instanceof RangeError) throw tooLarge(maxBytes, "unzips to more", body.length);
    throw new Refusal(400, `the body is not valid gzip: ${errorMessage(error)}`, body.length);
  }
}

function tooLarge(maxBytes: number, how: string, bytes: number): Refusal {
  return new Refusal(413, `the body ${how}; at most ${maxBytes} bytes are taken, send smaller batches`, bytes);
}

function full(): Refusal {
  return new Refusal(429, "too many bytes are in flight; send again later");
}
