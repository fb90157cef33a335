/**
 * Reads an Export…ServiceResponse, which has the same shape for all signals: field 1 is partial_success with
 * 1 = rejected count (varint) and 2 = error_message. Anything else in it, or a JSON answer, counts as full success.
 */
export function readPartialSuccess(body: Uint8Array): { rejected: number; reason: string } {
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
