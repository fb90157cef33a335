import fc from "fast-check";
import { expect, test } from "vitest";
import { readRecords, sealRecord } from "./record.ts";

const payloads = [Buffer.from("first"), Buffer.alloc(5000, "second "), Buffer.from("third")];
const file = Buffer.concat([Buffer.from("MAGIC---"), ...payloads.map(sealRecord)]);

function read(bytes: Uint8Array) {
  const found: string[] = [];
  const result = readRecords(bytes, 8, (payload) => found.push(Buffer.from(payload).toString().slice(0, 6)));
  return { found, ...result };
}

test("whole records are read, large ones were compressed", () => {
  expect(read(file)).toEqual({ found: ["first", "second", "third"], records: 3, end: file.length, damagedBytes: 0 });
  expect(file.length).toBeLessThan(200);
});

test("a torn end is where the last whole record ends", () => {
  const end = file.length - sealRecord(payloads[2] ?? Buffer.alloc(0)).length;
  expect(read(file.subarray(0, file.length - 1))).toMatchObject({ records: 2, end, damagedBytes: 0 });
});

test("behind a damaged record the next whole one is found", () => {
  const damaged = Buffer.from(file);
  damaged.writeUInt32LE(0xffffffff, 8);
  const firstLength = sealRecord(payloads[0] ?? Buffer.alloc(0)).length;
  expect(read(damaged)).toEqual({
    found: ["second", "third"],
    records: 2,
    end: file.length,
    damagedBytes: firstLength,
  });
});

test("twenty megabytes of noise are given up in reasonable time", () => {
  const noise = new Uint8Array(20 * 1024 * 1024);
  let state = 1;
  for (let i = 0; i < noise.length; i++) noise[i] = (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) >>> 24;
  expect(read(noise).records).toBe(0);
});

test("whatever is sealed opens again", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 2000 }), { maxLength: 10 }), (list) => {
      const found: Uint8Array[] = [];
      const bytes = Buffer.concat(list.map(sealRecord));
      expect(readRecords(bytes, 0, (payload) => found.push(Uint8Array.from(payload))).end).toBe(bytes.length);
      expect(found).toEqual(list);
    }),
  );
});
