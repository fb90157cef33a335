/** The entities that stand for ASCII characters: the only ones that can change what an attribute's value means. */
const NAMED: Readonly<Record<string, string>> = {
  amp: "&",
  AMP: "&",
  apos: "'",
  ast: "*",
  bsol: "\\",
  colon: ":",
  comma: ",",
  commat: "@",
  dollar: "$",
  equals: "=",
  excl: "!",
  grave: "`",
  gt: ">",
  GT: ">",
  Hat: "^",
  lbrace: "{",
  lbrack: "[",
  lcub: "{",
  lowbar: "_",
  lpar: "(",
  lsqb: "[",
  lt: "<",
  LT: "<",
  midast: "*",
  nbsp: "\u00a0",
  NewLine: "\n",
  num: "#",
  percnt: "%",
  period: ".",
  plus: "+",
  quest: "?",
  quot: '"',
  QUOT: '"',
  rbrace: "}",
  rbrack: "]",
  rcub: "}",
  rpar: ")",
  rsqb: "]",
  semi: ";",
  sol: "/",
  Tab: "\t",
  UnderBar: "_",
  verbar: "|",
  vert: "|",
  VerticalLine: "|",
};
/** These are known without their semicolon too. */
const BARE = "amp|AMP|gt|GT|lt|LT|quot|QUOT|nbsp";
const PATTERN = new RegExp(`&(?:#(?:[xX]([0-9a-fA-F]+)|([0-9]+));?|([A-Za-z]+);|(${BARE}))`, "g");

/** Resolves entities, for the analysis of attribute values. */
export function unescapeHtml(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(PATTERN, (all, hex?: string, decimal?: string, name?: string, bare?: string) => {
    if (name !== undefined || bare !== undefined) return NAMED[name ?? bare ?? ""] ?? all;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    const valid = code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
    return valid ? String.fromCodePoint(code) : "\ufffd";
  });
}
