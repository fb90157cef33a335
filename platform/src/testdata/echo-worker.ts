import { serveWorker, transfer } from "../worker.ts";

const emit = serveWorker({
  add: (a: number, b: number) => a + b,
  fail: () => {
    throw Object.assign(new Error("no luck"), { code: "TOCSIN_OVERLOADED" });
  },
  double(bytes: Uint8Array) {
    const result = bytes.map((byte) => byte * 2);
    return transfer(result, [result.buffer]);
  },
  tell(what: string) {
    emit("told", what);
  },
  die: () => process.exit(3),
});
