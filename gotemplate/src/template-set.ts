import { builtins } from "./builtins.ts";
import { TemplateError } from "./errors.ts";
import { DEFAULT_LIMITS, execute, type Limits, type MissingKey } from "./evaluate.ts";
import { escapeTemplates } from "./html/escape.ts";
import { escapers } from "./html/escapers.ts";
import { isEmptyTree, type Tree } from "./nodes.ts";
import { parse } from "./parser.ts";
import { quote } from "./quote.ts";
import type { GoFunction, GoValue } from "./value.ts";

export interface TemplateSetOptions {
  /** `text` is Go's text/template, `html` html/template, which escapes every value for the place it stands in. */
  mode: "text" | "html";
  /** What templates may call besides Go's own functions. */
  functions?: Readonly<Record<string, GoFunction>>;
  missingKey?: MissingKey;
  limits?: Partial<Limits>;
}

/** Templates that can call one another by name. */
export interface TemplateSet {
  /**
   * Adds a template and those it defines; a name defined again replaces the earlier template unless the new one is
   * empty. Throws a TemplateError `template: NAME:LINE: …` and then adds nothing.
   */
  parse(name: string, text: string): void;
  /** A copy that can be added to without changing this one. */
  clone(): TemplateSet;
  has(name: string): boolean;
  /** The names of all templates, in order of definition. */
  names(): string[];
  /** Runs a template. Throws a TemplateError when it is not there, cannot be escaped, fails or exceeds a limit. */
  execute(name: string, data: GoValue): string;
}

/** An empty set of templates. */
export function createTemplateSet(options: TemplateSetOptions): TemplateSet {
  return new ParsedTemplates(
    {
      mode: options.mode,
      functions: new Map(Object.entries(options.functions ?? {})),
      missingKey: options.missingKey ?? "default",
      limits: { ...DEFAULT_LIMITS, ...options.limits },
    },
    new Map(),
  );
}

/** A set holding these templates, by name. Throws as `parse` does. */
export function parseTemplates(texts: Readonly<Record<string, string>>, options: TemplateSetOptions): TemplateSet {
  const set = createTemplateSet(options);
  for (const [name, text] of Object.entries(texts)) set.parse(name, text);
  return set;
}

interface Settings {
  mode: "text" | "html";
  functions: ReadonlyMap<string, GoFunction>;
  missingKey: MissingKey;
  limits: Limits;
}

class ParsedTemplates implements TemplateSet {
  readonly #settings: Settings;
  readonly #trees: Map<string, Tree>;
  /** The trees with escapers in their pipelines, by the template they were escaped for; only in html mode. */
  readonly #escaped = new Map<string, ReadonlyMap<string, Tree>>();

  constructor(settings: Settings, trees: Map<string, Tree>) {
    this.#settings = settings;
    this.#trees = trees;
  }

  parse(name: string, text: string): void {
    const { functions } = this.#settings;
    const parsed = parse(name, text, (fn) => functions.has(fn) || builtins.has(fn));
    for (const [key, tree] of parsed) {
      const replaces = !isEmptyTree(tree.root) || !this.#trees.has(key);
      if (replaces) this.#trees.set(key, tree);
    }
    this.#escaped.clear();
  }

  clone(): TemplateSet {
    return new ParsedTemplates(this.#settings, new Map(this.#trees));
  }

  has(name: string): boolean {
    return this.#trees.has(name);
  }

  names(): string[] {
    return [...this.#trees.keys()];
  }

  execute(name: string, data: GoValue): string {
    const html = this.#settings.mode === "html";
    const trees = html ? this.#escapedFor(name) : this.#trees;
    const tree = trees.get(name);
    if (tree === undefined) throw new TemplateError(`template: no template ${quote(name)} associated with template`);
    const { functions } = this.#settings;
    const available = html ? new Map([...functions, ...Object.entries(escapers)]) : functions;
    return execute({ ...this.#settings, functions: available, trees }, tree, data);
  }

  #escapedFor(name: string): ReadonlyMap<string, Tree> {
    const known = this.#escaped.get(name);
    if (known !== undefined) return known;
    if (!this.#trees.has(name)) throw new TemplateError(`html/template: ${quote(name)} is undefined`);
    const trees = escapeTemplates(this.#trees, name);
    this.#escaped.set(name, trees);
    return trees;
  }
}
