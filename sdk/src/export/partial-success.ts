/** What a collector did not take of a batch that it accepted. */
export interface PartialSuccess {
  rejected: number;
  reason: string;
}

const OPENING_BRACE = 0x7b;

/** Reads an Export…ServiceResponse, binary or JSON. What cannot be read counts as full success, as the batch was taken. */
export function readPartialSuccess(body: Uint8Array): PartialSuccess {
  return body[0] === OPENING_BRACE ? readJson(body) : readProtobuf(body);
}

/** Counts are 64 bits wide, which proto3's JSON mapping writes as strings; some collectors write numbers. */
function readJson(body: Uint8Array): PartialSuccess {
  let answer: { partialSuccess?: Record<string, unknown> };
  try {
    answer = JSON.parse(new TextDecoder().decode(body)) as typeof answer;
  } catch {
    return { rejected: 0, reason: "" };
  }
  const { rejectedSpans, rejectedLogRecords, errorMessage } = answer.partialSuccess ?? {};
  const rejected = Number(rejectedSpans ?? rejectedLogRecords ?? 0);
  return {
    rejected: Number.isSafeInteger(rejected) && rejected > 0 ? rejected : 0,
    reason: typeof errorMessage === "string" ? errorMessage : "",
  };
}

/** The same shape for all signals: field 1 is partial_success with 1 = rejected count (varint) and 2 = error_message. */
function readProtobuf(body: Uint8Array): PartialSuccess {
  const accepted = { rejected: 0, reason: "" };
  if (body[0] !== 0x0a) return accepted;
  const length = varint(body, 1);
  if (length === undefined) return accepted;
  const end = Math.min(body.byteLength, length.next + length.value);
  let { next } = length;
  const found = { ...accepted };
  while (next < end) {
    const tag = body[next];
    const field = varint(body, next + 1);
    if (field === undefined) return found;
    if (tag === 0x08) {
      found.rejected = field.value;
      next = field.next;
    } else if (tag === 0x12) {
      next = field.next + field.value;
      found.reason = new TextDecoder().decode(body.subarray(field.next, Math.min(next, end)));
    } else {
      return found;
    }
  }
  return found;
}

function varint(bytes: Uint8Array, from: number): { value: number; next: number } | undefined {
  let value = 0;
  for (let i = 0; i < 8; i++) {
    const byte = bytes[from + i];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return { value, next: from + i + 1 };
  }
  return undefined;
}
