import { OtlpDecodeError } from "./error.ts";

const MAX_UINT64 = 2n ** 64n - 1n;
const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;
const MAX_DEPTH = 64;

/**
 * A value inside parsed OTLP/JSON that knows where it stands, so that a mistake can say so. Follows proto3's JSON mapping
 * (null is absent, 64-bit integers as string or number, NaN and infinities as strings) with OTLP's exceptions (ids in hex).
 * Names are lowerCamelCase; the original proto names are taken as well, as proto3 parsers do. Unknown fields are ignored.
 */
export class JsonNode {
  readonly #value: unknown;
  readonly #parent: JsonNode | undefined;
  readonly #step: string;
  readonly #depth: number;

  private constructor(value: unknown, parent: JsonNode | undefined, step: string) {
    this.#value = value;
    this.#parent = parent;
    this.#step = step;
    this.#depth = parent ? parent.#depth + 1 : 0;
    if (this.#depth > MAX_DEPTH * 2) this.#fail(`nested deeper than ${MAX_DEPTH} levels`);
  }

  static root(json: unknown): JsonNode {
    const root = new JsonNode(json, undefined, "");
    root.#fields();
    return root;
  }

  has(key: string): boolean {
    return this.#get(key) !== undefined;
  }

  object(key: string): JsonNode | undefined {
    const value = this.#get(key);
    if (value === undefined) return undefined;
    const node = new JsonNode(value, this, key);
    node.#fields();
    return node;
  }

  /** The objects of a repeated message field; none when it is missing. */
  list(key: string): JsonNode[] {
    const nodes = this.scalars(key);
    for (const node of nodes) node.#fields();
    return nodes;
  }

  /** The entries of a repeated scalar field; read each with `asUint64` or `asDouble`. */
  scalars(key: string): JsonNode[] {
    const value = this.#get(key);
    if (value === undefined) return [];
    const node = new JsonNode(value, this, key);
    if (!Array.isArray(value)) return node.#fail("expected an array");
    return value.map((item, i) => new JsonNode(item, node, `[${i}]`));
  }

  text(key: string): string {
    const value = this.#get(key);
    if (value === undefined) return "";
    return typeof value === "string" ? value : this.#failAt(key, "expected a string");
  }

  boolean(key: string): boolean {
    const value = this.#get(key);
    if (value === undefined) return false;
    return typeof value === "boolean" ? value : this.#failAt(key, "expected true or false");
  }

  double(key: string): number {
    return this.optionalDouble(key) ?? 0;
  }

  optionalDouble(key: string): number | undefined {
    const value = this.#get(key);
    return value === undefined ? undefined : new JsonNode(value, this, key).asDouble();
  }

  asDouble(): number {
    const value = this.#value;
    if (typeof value === "number") return value;
    if (value === "NaN" || value === "Infinity" || value === "-Infinity") return Number(value);
    if (typeof value === "string" && /^-?\d+(\.\d*)?([eE][+-]?\d+)?$/.test(value)) return Number(value);
    return this.#fail("expected a number");
  }

  /** 0 when missing. */
  uint64(key: string): bigint {
    const value = this.#get(key);
    return value === undefined ? 0n : new JsonNode(value, this, key).asUint64();
  }

  asUint64(): bigint {
    return this.#integer(0n, MAX_UINT64);
  }

  /** A number where that is exact. */
  int64(key: string): number | bigint {
    const value = this.#get(key);
    const integer = value === undefined ? 0n : new JsonNode(value, this, key).#integer(MIN_INT64, MAX_INT64);
    const number = Number(integer);
    return Number.isSafeInteger(number) ? number : integer;
  }

  int32(key: string): number {
    const value = this.#get(key);
    return value === undefined ? 0 : Number(new JsonNode(value, this, key).#integer(-(2n ** 31n), 2n ** 31n - 1n));
  }

  uint32(key: string): number {
    const value = this.#get(key);
    return value === undefined ? 0 : Number(new JsonNode(value, this, key).#integer(0n, 2n ** 32n - 1n));
  }

  /** An enum by number or by name. */
  enumeration(key: string, byName: (name: string) => number | undefined): number {
    const value = this.#get(key);
    if (typeof value !== "string" || /^-?\d+$/.test(value)) return this.int32(key);
    return byName(value) ?? this.#failAt(key, `unknown name ${JSON.stringify(value.slice(0, 60))}`);
  }

  /** An id in hex of either case; empty when missing or all zeros. */
  id(key: string, bytes: number): string {
    const text = this.text(key);
    if (text === "") return "";
    if (text.length !== bytes * 2 || !/^[0-9a-fA-F]+$/.test(text)) {
      return this.#failAt(key, `expected ${bytes * 2} hex digits, not ${JSON.stringify(text.slice(0, 60))}`);
    }
    return /^0+$/.test(text) ? "" : text.toLowerCase();
  }

  /** Base64, standard or URL alphabet, padded or not. */
  base64(key: string): Uint8Array {
    const text = this.text(key).replaceAll("-", "+").replaceAll("_", "/");
    if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return this.#failAt(key, "expected base64");
    const bare = text.replace(/=+$/, "");
    if (bare.length % 4 === 1) return this.#failAt(key, "expected base64");
    return Uint8Array.from(atob(bare), (char) => char.charCodeAt(0));
  }

  #integer(min: bigint, max: bigint): bigint {
    const value = this.#value;
    if (
      typeof value === "number" ? !Number.isInteger(value) : typeof value !== "string" || !/^-?\d{1,20}$/.test(value)
    ) {
      return this.#fail("expected an integer, as a number or a string of digits");
    }
    const integer = BigInt(value as string | number);
    return integer < min || integer > max ? this.#fail(`${integer} is out of range`) : integer;
  }

  #fields(): Record<string, unknown> {
    if (typeof this.#value !== "object" || this.#value === null || Array.isArray(this.#value)) {
      return this.#fail("expected an object");
    }
    return this.#value as Record<string, unknown>;
  }

  #get(key: string): unknown {
    const fields = this.#value as Record<string, unknown>;
    const value = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (value !== undefined && value !== null) return value;
    const proto = protoName(key);
    return proto !== key && Object.hasOwn(fields, proto) ? (fields[proto] ?? undefined) : undefined;
  }

  #path(): string {
    const path = this.#parent ? this.#parent.#path() : "";
    if (path === "" || this.#step.startsWith("[")) return path + this.#step;
    return `${path}.${this.#step}`;
  }

  #failAt(key: string, message: string): never {
    return new JsonNode(undefined, this, key).#fail(message);
  }

  #fail(message: string): never {
    const path = this.#path();
    throw new OtlpDecodeError(path === "" ? message : `${path}: ${message}`);
  }
}

const protoNames = new Map<string, string>();

/** `timeUnixNano` → `time_unix_nano`. The keys asked for are those of this package, so the map stays small. */
function protoName(key: string): string {
  let name = protoNames.get(key);
  if (name === undefined) {
    name = key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    protoNames.set(key, name);
  }
  return name;
}
