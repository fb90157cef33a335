import { Writable } from "node:stream";

/** Turns our JSON log lines into logfmt, with the fields Go's slog begins with. */
export function logfmtStream(out: NodeJS.WritableStream): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = chunk.toString().trimEnd().split("\n");
      out.write(lines.map((line) => `${toLogfmt(JSON.parse(line) as Record<string, unknown>)}\n`).join(""));
      done();
    },
  });
}

function toLogfmt({ time, level, msg, ...fields }: Record<string, unknown>): string {
  const head = [`time=${String(time)}`, `level=${String(level).toUpperCase()}`, `msg=${quote(String(msg))}`];
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${quote(text(value))}`);
  return [...head, ...rest].join(" ");
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value === "object" && value !== null && "message" in value) return String(value.message);
  return JSON.stringify(value) ?? "";
}

function quote(value: string): string {
  return value === "" || /[\s"=]/.test(value) ? JSON.stringify(value) : value;
}
