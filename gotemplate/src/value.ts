import type { GoDuration, GoTime } from "./time.ts";

/**
 * A value as a template sees it, by the Go type it stands for:
 * `bigint` int, `number` float64, `string`, `boolean` bool; an array a slice; a plain object or a Map a map with string
 * keys; `null` a nil interface, `undefined` no value at all; classes of this package everything else.
 */
export type GoValue =
  | undefined
  | null
  | boolean
  | bigint
  | number
  | string
  | SafeContent
  | GoTime
  | GoDuration
  | GoMap
  | GoSlice
  | GoStruct
  | GoFunction
  | readonly GoValue[]
  | ReadonlyMap<string, GoValue>
  | { readonly [key: string]: GoValue };

/** Named things that templates may call as `.Name arg`. `String` also decides how the value prints. */
export type GoMethods = Readonly<Record<string, GoFunction>>;

const NO_METHODS: GoMethods = {};

/** A map with a type name and methods; plain objects do where neither matters. */
export class GoMap {
  readonly entries: ReadonlyMap<string, GoValue>;
  /** The element type: a missing key is `""` in a map of strings and no value in a map of anything. */
  readonly elem: "string" | "any";
  readonly typeName: string;
  readonly methods: GoMethods;

  constructor(
    entries: ReadonlyMap<string, GoValue> | Readonly<Record<string, GoValue>>,
    options: { elem?: "string" | "any"; typeName?: string; methods?: GoMethods } = {},
  ) {
    this.entries = entries instanceof Map ? entries : new Map(Object.entries(entries));
    this.elem = options.elem ?? elemOf(this.entries);
    this.typeName = options.typeName ?? mapTypeName(this.elem);
    this.methods = options.methods ?? NO_METHODS;
  }
}

/** A slice with a type name and methods; arrays do where neither matters. */
export class GoSlice {
  readonly items: readonly GoValue[];
  readonly typeName: string;
  readonly methods: GoMethods;

  constructor(items: readonly GoValue[], typeName: string, methods: GoMethods = NO_METHODS) {
    this.items = items;
    this.typeName = typeName;
    this.methods = methods;
  }
}

/** A struct: exactly these fields and methods can be reached from a template. */
export class GoStruct {
  readonly typeName: string;
  readonly fields: Readonly<Record<string, GoValue>>;
  readonly methods: GoMethods;

  constructor(typeName: string, fields: Readonly<Record<string, GoValue>>, methods: GoMethods = NO_METHODS) {
    this.typeName = typeName;
    this.fields = fields;
    this.methods = methods;
  }
}

/** Which language a text is known to be safe in; named as html/template names its types. */
export type ContentKind = "CSS" | "HTML" | "HTMLAttr" | "JS" | "JSStr" | "URL" | "Srcset";

/** Text that contextual escaping lets through where its kind fits. In text templates it prints as it is. */
export class SafeContent {
  readonly kind: ContentKind;
  readonly text: string;

  constructor(kind: ContentKind, text: string) {
    this.kind = kind;
    this.text = text;
  }
}

export const safeHtml = (text: string): SafeContent => new SafeContent("HTML", text);
export const safeUrl = (text: string): SafeContent => new SafeContent("URL", text);

/** A Go int. Throws a RangeError for a number that is not whole. */
export const goInt = (n: number): bigint => BigInt(n);

/** The type of a function's parameter: how it is called in errors, and which values it takes. */
export interface GoType<T extends GoValue> {
  readonly name: string;
  readonly kind: "string" | "int" | "float64" | "bool" | "any" | "other";
  /** Whether nil may be passed; the function then gets `zero`. */
  readonly nilable: boolean;
  readonly zero?: GoValue;
  accepts(value: GoValue): value is T;
}

type ParamValues<P extends readonly GoType<GoValue>[]> = {
  -readonly [K in keyof P]: P[K] extends GoType<infer T> ? T : never;
};

/** A function that templates can call. */
export class GoFunction {
  readonly params: readonly GoType<GoValue>[];
  /** The type of each argument after the fixed ones, when there may be any. */
  readonly variadic: GoType<GoValue> | undefined;
  readonly call: (...args: GoValue[]) => GoValue;

  constructor(
    params: readonly GoType<GoValue>[],
    variadic: GoType<GoValue> | undefined,
    call: (...args: GoValue[]) => GoValue,
  ) {
    this.params = params;
    this.variadic = variadic;
    this.call = call;
  }
}

/**
 * Makes a function for templates. Number and types of the arguments are checked before the call, as Go does it. An
 * Error it throws ends the execution with `error calling NAME: …`.
 */
export function goFunction<const P extends readonly GoType<GoValue>[]>(
  params: P,
  call: (...args: ParamValues<P>) => GoValue,
): GoFunction {
  return new GoFunction(params, undefined, call as unknown as GoFunction["call"]);
}

/** As goFunction, with any number of further arguments of type `variadic`. */
export function goVariadic<const P extends readonly GoType<GoValue>[], V extends GoValue>(
  params: P,
  variadic: GoType<V>,
  call: (...args: [...ParamValues<P>, ...V[]]) => GoValue,
): GoFunction {
  return new GoFunction(params, variadic, call as unknown as GoFunction["call"]);
}

export function elemOf(entries: ReadonlyMap<string, GoValue>): "string" | "any" {
  for (const value of entries.values()) if (typeof value !== "string") return "any";
  return "string";
}

export const mapTypeName = (elem: "string" | "any"): string =>
  elem === "string" ? "map[string]string" : "map[string]interface {}";
