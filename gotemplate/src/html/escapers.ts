import { sprint } from "../format.ts";
import { goTypes } from "../reflect.ts";
import { type GoFunction, type GoValue, goVariadic } from "../value.ts";
import { cssEscaper, cssValueFilter } from "./css.ts";
import { jsRegexpEscaper, jsStrEscaper, jsTmplLitEscaper, jsValEscaper } from "./js.ts";
import {
  attrEscaper,
  commentEscaper,
  htmlEscaper,
  htmlNameFilter,
  htmlNospaceEscaper,
  rcdataEscaper,
} from "./markup.ts";
import { srcsetFilterAndEscaper, urlEscaper, urlFilter, urlNormalizer } from "./url.ts";

const escaper = (call: (...values: GoValue[]) => string): GoFunction => goVariadic([], goTypes.any, call);

/** What escaping appends to pipelines. No template can name them: they are unknown while it is parsed. */
export const escapers = {
  _html_template_attrescaper: escaper(attrEscaper),
  _html_template_commentescaper: escaper(commentEscaper),
  _html_template_cssescaper: escaper(cssEscaper),
  _html_template_cssvaluefilter: escaper(cssValueFilter),
  _html_template_htmlnamefilter: escaper(htmlNameFilter),
  _html_template_htmlescaper: escaper(htmlEscaper),
  _html_template_jsregexpescaper: escaper(jsRegexpEscaper),
  _html_template_jsstrescaper: escaper(jsStrEscaper),
  _html_template_jstmpllitescaper: escaper(jsTmplLitEscaper),
  _html_template_jsvalescaper: escaper(jsValEscaper),
  _html_template_nospaceescaper: escaper(htmlNospaceEscaper),
  _html_template_rcdataescaper: escaper(rcdataEscaper),
  _html_template_srcsetescaper: escaper(srcsetFilterAndEscaper),
  _html_template_urlescaper: escaper(urlEscaper),
  _html_template_urlfilter: escaper(urlFilter),
  _html_template_urlnormalizer: escaper(urlNormalizer),
  _eval_args_: escaper((...values) => sprint(...values)),
} as const;

export type EscaperName = keyof typeof escapers;
