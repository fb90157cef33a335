/** Orders strings by code point, which is the order of their UTF-8 bytes and so Go's order of strings. */
export function compareStrings(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    const surrogates = (x & 0xf800) === 0xd800 || (y & 0xf800) === 0xd800;
    return surrogates ? rank(x) - rank(y) : x - y;
  }
  return a.length - b.length;
}

/** Lifts surrogate halves above U+E000…U+FFFF, where UTF-8 sorts the characters they stand for. */
function rank(unit: number): number {
  return (unit & 0xf800) === 0xd800 ? unit + 0x10000 : unit;
}
