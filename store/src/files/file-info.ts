/** What the writer tells about one file of the store. */
export interface FileInfo {
  name: string;
  path: string;
  /** First and last time of the records in it, milliseconds; t0 > t1 when empty. */
  t0: number;
  t1: number;
  records: number;
  bytes: number;
  /** Nothing is added any more. */
  sealed: boolean;
}

export interface RetentionLimits {
  retentionMs: number;
  maxBytes: number;
}

/**
 * The files to drop, oldest first: those begun so long ago that all in them is past retention, then as many more as
 * the byte budget asks for. The file being written stays.
 */
export function filesToDrop(
  files: readonly (FileInfo & { endMs: number })[],
  now: number,
  limits: RetentionLimits,
): { name: string; reason: "age" | "size" }[] {
  const oldestFirst = files.filter(({ sealed }) => sealed).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  let bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const dropped: { name: string; reason: "age" | "size" }[] = [];
  for (const file of oldestFirst) {
    const aged = file.endMs + limits.retentionMs <= now;
    if (!aged && bytes <= limits.maxBytes) break;
    dropped.push({ name: file.name, reason: aged ? "age" : "size" });
    bytes -= file.bytes;
  }
  return dropped;
}
