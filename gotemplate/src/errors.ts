/** A template that does not parse, cannot be escaped, or fails while it is executed; worded as Go words it. */
export class TemplateError extends Error {
  override readonly name = "TemplateError";
}
