import { TocsinError } from "@tocsin/platform/thread";
import { z } from "zod";

/** A place in the order of records: time, then file, then row. */
export interface Place {
  ms: number;
  nanos: number;
  file: string;
  row: number;
}

/** Orders newest first. */
export function newestFirst(a: Place, b: Place): number {
  return b.ms - a.ms || b.nanos - a.nanos || (a.file === b.file ? b.row - a.row : a.file < b.file ? 1 : -1);
}

const Cursor = z.tuple([z.number(), z.number(), z.string(), z.number()]);

export function formatCursor({ ms, nanos, file, row }: Place): string {
  return Buffer.from(JSON.stringify([ms, nanos, file, row])).toString("base64url");
}

/** Throws TOCSIN_BAD_REQUEST when it is not a cursor of ours. */
export function parseCursor(text: string): Place {
  const [ms, nanos, file, row] = parseJson(Buffer.from(text, "base64url").toString("utf8"));
  return { ms, nanos, file, row };
}

function parseJson(text: string): z.infer<typeof Cursor> {
  try {
    return Cursor.parse(JSON.parse(text));
  } catch (error) {
    throw new TocsinError("TOCSIN_BAD_REQUEST", "cursor: not a cursor of this API", { cause: error });
  }
}
