import type { LabelSet } from "../label-set.ts";
import { xxhash64 } from "./xxhash64.ts";

const utf8 = new TextEncoder();

/**
 * Where a series stands between 0 and 1 in the eyes of limit_ratio: the hash of its labels as Prometheus keeps them in
 * memory (each string after its length), so that both pick the same series.
 */
export function ratioOffset(labels: LabelSet): number {
  const bytes: number[] = [];
  const append = (text: string) => {
    const encoded = utf8.encode(text);
    const { length } = encoded;
    if (length < 255) bytes.push(length);
    else bytes.push(255, length & 0xff, (length >> 8) & 0xff, (length >> 16) & 0xff);
    for (const byte of encoded) bytes.push(byte);
  };
  for (const [i, name] of labels.names.entries()) {
    append(name);
    append(labels.values[i] ?? "");
  }
  return Number(xxhash64(Uint8Array.from(bytes))) / 2 ** 64;
}
