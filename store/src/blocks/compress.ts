import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

const PARAMS = { [constants.ZSTD_c_compressionLevel]: 3, [constants.ZSTD_c_checksumFlag]: 1 };
const MAX_PART_BYTES = 1024 ** 3;

/** zstd with a checksum, so that a damaged part is noticed and not decoded. */
export function compress(bytes: Uint8Array): Buffer {
  return zstdCompressSync(bytes, { params: PARAMS });
}

/** Throws when the bytes are not what `compress` gave. */
export function decompress(bytes: Uint8Array): Buffer {
  return zstdDecompressSync(bytes, { maxOutputLength: MAX_PART_BYTES });
}
