/** Fixed-width binary ids of a block; all zeroes (which OTLP forbids as an id) stands for none. */
export function packIds(ids: readonly string[], width: number): Buffer {
  const packed = Buffer.alloc(ids.length * width);
  ids.forEach((id, i) => {
    if (id.length === width * 2) packed.write(id, i * width, "hex");
  });
  return packed;
}

export function idAt(packed: Buffer, row: number, width: number): string {
  const start = row * width;
  for (let i = start; i < start + width; i++) {
    if (packed[i] !== 0) return packed.toString("hex", start, start + width);
  }
  return "";
}
