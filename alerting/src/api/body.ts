import { SCHEMA, ApiError } from "./api-error.ts";

/** Checks of JSON bodies that answer in the words of go-openapi, which clients know. */

type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A body whose JSON has another type than the schema: what Go's decoder refuses. */
export function mistyped(where: string, value: unknown, wanted: string): ApiError {
  const found = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
  return ApiError.schema(
    400,
    `parsing ${where} body from "" failed, because json: cannot unmarshal ${found} into Go value of type ${wanted}`,
  );
}

export function required(name: string): ApiError {
  return ApiError.schema(SCHEMA.required, `${name} in body is required`);
}

export function optionalString(where: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw mistyped(where, value, "string");
  return value;
}

export function optionalBoolean(where: string, value: unknown): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw mistyped(where, value, "bool");
  return value;
}

export function optionalStrings(where: string, value: unknown): Record<string, string> | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw mistyped(where, value, "map[string]string");
  for (const key in value) if (typeof value[key] !== "string") throw mistyped(where, value[key], "string");
  return value as Record<string, string>;
}
