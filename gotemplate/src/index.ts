export { escapeHtml, escapeJs, escapeQuery } from "./builtins.ts";
export { TemplateError } from "./errors.ts";
export type { Limits, MissingKey } from "./evaluate.ts";
export { formatFloat } from "./float.ts";
export { formatValue, sprint, sprintf, sprintln } from "./format.ts";
export { goTypes, isTrue, mapEntries, sliceItems, typeName } from "./reflect.ts";
export { createTemplateSet, parseTemplates, type TemplateSet, type TemplateSetOptions } from "./template-set.ts";
export { GoDuration, GoTime, GoZone, parseGoTime, UTC } from "./time.ts";
export {
  type ContentKind,
  goFunction,
  GoFunction,
  goInt,
  GoMap,
  type GoMethods,
  GoSlice,
  GoStruct,
  type GoType,
  type GoValue,
  goVariadic,
  SafeContent,
  safeHtml,
  safeUrl,
} from "./value.ts";
