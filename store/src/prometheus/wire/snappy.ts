import { compress, uncompress } from "snappy";

/** What cannot be uncompressed, or would become too large. */
export class SnappyError extends Error {
  override readonly name = "SnappyError";
  readonly tooLarge: boolean;

  constructor(message: string, tooLarge = false, options?: ErrorOptions) {
    super(message, options);
    this.tooLarge = tooLarge;
  }
}

/** The block format, as remote write and remote read use it; off the main thread. */
export function snappyCompress(bytes: Uint8Array): Promise<Uint8Array> {
  return compress(bytes);
}

/** Throws SnappyError, before anything is allocated when the result would be larger than `maxBytes`. */
export async function snappyUncompress(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const size = announcedSize(bytes);
  if (size > maxBytes) throw new SnappyError(`${size} bytes when uncompressed; the limit is ${maxBytes}`, true);
  try {
    return Buffer.from(await uncompress(bytes, { asBuffer: true }));
  } catch (cause) {
    throw new SnappyError("the body is not in snappy's block format", false, { cause });
  }
}

/** A block starts with its uncompressed length as a varint of up to 32 bits. */
function announcedSize(bytes: Uint8Array): number {
  let size = 0;
  for (let i = 0; i < 5; i++) {
    const byte = bytes[i];
    if (byte === undefined) break;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return size;
  }
  throw new SnappyError("the body is not in snappy's block format");
}
