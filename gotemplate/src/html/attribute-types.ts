export type AttributeType = "plain" | "css" | "html" | "js" | "url" | "srcset" | "unsafe";

const names = (text: string) => text.split(/\s+/);

/** HTML's attributes by what their values are; those that change how other content is read count as unsafe. */
const TYPES: ReadonlyMap<string, AttributeType> = new Map(
  (
    [
      [
        "url",
        names(
          "action archive background cite classid codebase data formaction href icon longdesc manifest poster profile src usemap xmlns",
        ),
      ],
      [
        "unsafe",
        names(
          "accept-charset async challenge charset content crossorigin defer enctype form formenctype formmethod formnovalidate http-equiv keytype language method novalidate pattern rel sandbox type value",
        ),
      ],
      ["css", ["style"]],
      ["html", ["srcdoc"]],
      ["srcset", ["srcset"]],
      [
        "plain",
        names(
          "accept alt autocomplete autofocus autoplay border checked class cols colspan contenteditable contextmenu controls coords datetime default dir dirname disabled draggable dropzone for formtarget headers height hidden high hreflang id ismap kind label lang list loop low max maxlength media mediagroup min multiple name open optimum placeholder preload pubdate radiogroup readonly required reversed rows rowspan scope scoped seamless selected shape size sizes span spellcheck srclang start step tabindex target title width wrap",
        ),
      ],
    ] as const
  ).flatMap(([type, list]) => list.map((name): [string, AttributeType] => [name, type])),
);

/** What an attribute's value is, rather too dangerous a guess than too harmless; the name in lower case. */
export function attributeType(attribute: string): AttributeType {
  const colon = attribute.indexOf(":");
  let name = attribute;
  if (attribute.startsWith("data-")) name = attribute.slice(5);
  else if (colon >= 0) {
    if (attribute.slice(0, colon) === "xmlns") return "url";
    name = attribute.slice(colon + 1);
  }
  const known = TYPES.get(name);
  if (known !== undefined) return known;
  if (name.startsWith("on")) return "js";
  return /src|uri|url/.test(name) ? "url" : "plain";
}
