/** What became of one batch. */
export type ExportResult =
  /** `rejected` records were refused for good although the request was accepted. */
  | { status: "ok"; rejected: number; reason: string }
  | { status: "retry"; afterMs?: number; error: string }
  | { status: "permanent"; error: string }
  /** A smaller batch may pass. */
  | { status: "too_large"; error: string };

/** Sends one encoded batch. Never rejects. */
export type Send<Body = Uint8Array> = (body: Body) => Promise<ExportResult>;
