/** Only this many characters of a message are searched by words; what lies beyond is kept and shown all the same. */
const SEARCHED_CHARACTERS = 32_768;

// oxlint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/;
const WORD = /[\p{L}\p{N}\p{M}_]+/gu;
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}ー々]/u;

/** Folds case, width and accents, so that `Café` and `ＣＡＦＥ` are found as `cafe`. */
export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  return text
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[\u0300-\u036f]/g, "")
    .normalize("NFC");
}

/**
 * The units that a text is searched by: words of letters, digits and `_`, folded; in scripts written without spaces
 * (Chinese, Japanese, Korean) each character is a unit, so that a part of a sentence is found.
 */
export function atoms(text: string): string[] {
  const searched = text.length > SEARCHED_CHARACTERS ? text.slice(0, SEARCHED_CHARACTERS) : text;
  if (ASCII.test(searched)) return searched.toLowerCase().match(/[a-z0-9_]+/g) ?? [];
  const found: string[] = [];
  for (const word of fold(searched).match(WORD) ?? []) {
    if (UNSPACED.test(word)) splitUnspaced(word, found);
    else found.push(word);
  }
  return found;
}

function splitUnspaced(word: string, into: string[]): void {
  let start = 0;
  let at = 0;
  for (const character of word) {
    if (UNSPACED.test(character)) {
      if (at > start) into.push(word.slice(start, at));
      into.push(character);
      start = at + character.length;
    }
    at += character.length;
  }
  if (at > start) into.push(word.slice(start));
}

const isUnspaced = (atom: string): boolean => atom.charCodeAt(0) > 127 && UNSPACED.test(atom);

/**
 * A text as an index of words takes it: tokens parted by what is not `[A-Za-z0-9_]` nor above U+007F. Words stand for
 * themselves; neighbouring unspaced characters become pairs, and the last of a run stands alone too.
 */
export function indexText(text: string): string {
  const searched = text.length > SEARCHED_CHARACTERS ? text.slice(0, SEARCHED_CHARACTERS) : text;
  if (ASCII.test(searched)) return searched;
  const units = atoms(searched);
  return units
    .map((unit, i) => {
      const next = units[i + 1];
      return isUnspaced(unit) && next !== undefined && isUnspaced(next) ? unit + next : unit;
    })
    .join(" ");
}

/** The tokens of `indexText` that every text containing these atoms in a row has; `prefix` marks beginnings. */
export function indexTokens(units: readonly string[], prefix: boolean): { token: string; prefix: boolean }[] {
  return units.map((unit, i) => {
    const next = units[i + 1];
    if (!isUnspaced(unit)) return { token: unit, prefix: prefix && next === undefined };
    return next !== undefined && isUnspaced(next)
      ? { token: unit + next, prefix: false }
      : { token: unit, prefix: true };
  });
}

/** Whether `units` holds `wanted` in a row; with `prefix` the last wanted unit may be the beginning of a longer one. */
export function containsAtoms(units: readonly string[], wanted: readonly string[], prefix: boolean): boolean {
  const last = wanted.length - 1;
  for (let i = 0; i + last < units.length; i++) {
    let k = 0;
    while (k < last && units[i + k] === wanted[k]) k++;
    if (k < last) continue;
    const unit = units[i + last] as string;
    const end = wanted[last] as string;
    if (prefix ? unit.startsWith(end) : unit === end) return true;
  }
  return false;
}

/** Matches `*` (any run) and `?` (one UTF-16 unit) against the whole text, in time linear in text × stars. */
export function globMatches(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let resume = 0;
  while (t < text.length) {
    const wanted = pattern[p];
    if (wanted === "*") {
      star = p++;
      resume = t;
    } else if (wanted === "\\" && pattern[p + 1] === text[t]) {
      p += 2;
      t++;
    } else if (wanted !== "\\" && (wanted === "?" || wanted === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++resume;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
