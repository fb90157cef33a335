import { builtins, callFunction } from "./builtins.ts";
import { TemplateError } from "./errors.ts";
import { formatValue } from "./format.ts";
import {
  type BranchNode,
  type CommandNode,
  type ListNode,
  locate,
  type Node,
  type NumberNode,
  type Operand,
  type PipeNode,
  printNode,
  type Statement,
  type TemplateNode,
  type Tree,
  type VariableNode,
} from "./nodes.ts";
import { quote } from "./quote.ts";
import {
  intOf,
  isTrue,
  kindOf,
  mapEntries,
  mapGet,
  mapHas,
  mapZero,
  methodOf,
  sliceItems,
  sortedEntries,
  typeName,
} from "./reflect.ts";
import { type GoFunction, GoStruct, type GoType, type GoValue } from "./value.ts";

/** What to do about a key that a map lacks: no value (printed `<no value>`), the element's zero value, or an error. */
export type MissingKey = "default" | "zero" | "error";

/** Bounds on one execution, so that no template can hang or exhaust the process. */
export interface Limits {
  /** Actions, operands and loop turns. */
  steps: number;
  /** Characters of output, and of any one string made on the way. */
  outputLength: number;
  /** Templates within templates. */
  depth: number;
}

export const DEFAULT_LIMITS: Limits = { steps: 1_000_000, outputLength: 8 * 1024 * 1024, depth: 200 };

export interface Execution {
  readonly trees: ReadonlyMap<string, Tree>;
  readonly functions: ReadonlyMap<string, GoFunction>;
  readonly missingKey: MissingKey;
  readonly limits: Limits;
}

type Jump = "break" | "continue" | undefined;

/** Stands for "no value was piped in". */
const NOTHING = Symbol("no final argument");
type Final = GoValue | typeof NOTHING;

/** Runs a template. Throws a TemplateError `template: NAME:LINE:COLUMN: executing "NAME" at <…>: …`. */
export function execute(execution: Execution, tree: Tree, data: GoValue): string {
  const out = new Output(execution.limits);
  new Evaluator(execution, out, tree, data, 0).run();
  return out.text;
}

/** Shared by all templates of one execution. */
class Output {
  text = "";
  steps = 0;
  readonly limits: Limits;

  constructor(limits: Limits) {
    this.limits = limits;
  }
}

class Evaluator {
  readonly #execution: Execution;
  readonly #out: Output;
  readonly #tree: Tree;
  readonly #depth: number;
  readonly #data: GoValue;
  readonly #variables: { name: string; value: GoValue }[];
  #node: Node;

  constructor(execution: Execution, out: Output, tree: Tree, data: GoValue, depth: number) {
    this.#execution = execution;
    this.#out = out;
    this.#tree = tree;
    this.#data = data;
    this.#depth = depth;
    this.#variables = [{ name: "$", value: data }];
    this.#node = tree.root;
  }

  run(): void {
    this.#list(this.#data, this.#tree.root);
  }

  #fail(message: string, cause?: unknown): never {
    const text = `template: ${locate(this.#node)}: executing ${quote(this.#tree.name)} at <${printNode(this.#node)}>: ${message}`;
    throw new TemplateError(text, cause === undefined ? undefined : { cause });
  }

  #step(): void {
    if (++this.#out.steps > this.#out.limits.steps)
      this.#fail(`exceeded the limit of ${this.#out.limits.steps} evaluation steps`);
  }

  #write(text: string): void {
    if (this.#out.text.length + text.length > this.#out.limits.outputLength)
      this.#fail(`output exceeds the limit of ${this.#out.limits.outputLength} characters`);
    this.#out.text += text;
  }

  #list(dot: GoValue, list: ListNode): Jump {
    for (const node of list.nodes) {
      const jump = this.#statement(dot, node);
      if (jump !== undefined) return jump;
    }
    return undefined;
  }

  #statement(dot: GoValue, node: Statement): Jump {
    this.#node = node;
    this.#step();
    switch (node.type) {
      case "text":
        this.#write(node.text);
        return undefined;
      case "action": {
        const value = this.#pipeline(dot, node.pipe);
        if (node.pipe.variables.length === 0) this.#print(node, value);
        return undefined;
      }
      case "if":
      case "with":
        return this.#branch(dot, node);
      case "range":
        return this.#range(dot, node);
      case "template":
        this.#template(dot, node);
        return undefined;
      case "break":
      case "continue":
        return node.type;
    }
  }

  #print(node: Node, value: GoValue): void {
    this.#node = node;
    if (value === undefined || value === null) this.#write("<no value>");
    else if (kindOf(value) === "func") this.#fail(`can't print ${printNode(node)} of type ${typeName(value)}`);
    else this.#write(typeof value === "string" ? value : formatValue(value));
  }

  #branch(dot: GoValue, node: BranchNode): Jump {
    const mark = this.#variables.length;
    const value = this.#pipeline(dot, node.pipe);
    let jump: Jump;
    if (isTrue(value)) jump = this.#list(node.type === "with" ? value : dot, node.list);
    else if (node.elseList !== undefined) jump = this.#list(dot, node.elseList);
    this.#variables.length = mark;
    return jump;
  }

  #range(dot: GoValue, node: BranchNode): Jump {
    const outer = this.#variables.length;
    const value = this.#pipeline(dot, node.pipe);
    const turns = this.#turns(node, value);
    let jump: Jump;
    if (turns.length === 0) {
      if (node.elseList !== undefined) jump = this.#list(dot, node.elseList);
    } else this.#loop(node, turns);
    this.#variables.length = outer;
    return jump;
  }

  #loop(node: BranchNode, turns: readonly (readonly [GoValue, GoValue])[]): void {
    const mark = this.#variables.length;
    for (const [key, item] of turns) {
      this.#step();
      this.#setLoopVariables(node.pipe, key, item, mark);
      const jump = this.#list(item, node.list);
      this.#variables.length = mark;
      if (jump === "break") return;
    }
  }

  #setLoopVariables(pipe: PipeNode, key: GoValue, item: GoValue, mark: number): void {
    const [first, second] = pipe.variables;
    if (first === undefined) return;
    const pairs: [VariableNode, GoValue, number][] =
      second === undefined
        ? [[first, item, 1]]
        : [
            [first, key, 2],
            [second, item, 1],
          ];
    for (const [variable, value, fromTop] of pairs) {
      if (pipe.assign) this.#assign(variable, value);
      else this.#variables[mark - fromTop] = { name: variable.path[0] ?? "", value };
    }
  }

  /** What a range goes over, as pairs of key and item. */
  #turns(node: BranchNode, value: GoValue): readonly (readonly [GoValue, GoValue])[] {
    switch (kindOf(value)) {
      case "invalid":
        return [];
      case "slice":
        return (sliceItems(value) ?? []).map((item, i) => [BigInt(i), item]);
      case "map":
        return sortedEntries(mapEntries(value) ?? new Map());
      case "int": {
        const count = intOf(value);
        if (node.pipe.variables.length > 1)
          this.#fail(`can't use ${formatValue(value)} to iterate over more than one variable`);
        if (count > BigInt(this.#out.limits.steps))
          this.#fail(`exceeded the limit of ${this.#out.limits.steps} evaluation steps`);
        return Array.from({ length: Math.max(Number(count), 0) }, (_, i) => [BigInt(i), BigInt(i)]);
      }
      case "bool":
      case "float64":
      case "func":
      case "string":
      case "struct":
        return this.#fail(`range can't iterate over ${formatValue(value)}`);
    }
  }

  #template(dot: GoValue, node: TemplateNode): void {
    const tree = this.#execution.trees.get(node.name);
    if (tree === undefined) return this.#fail(`template ${quote(node.name)} not defined`);
    if (this.#depth >= this.#out.limits.depth)
      this.#fail(`exceeded maximum template depth (${this.#out.limits.depth})`);
    const data = node.pipe === undefined ? undefined : this.#pipeline(dot, node.pipe);
    new Evaluator(this.#execution, this.#out, tree, data, this.#depth + 1).run();
  }

  #pipeline(dot: GoValue, pipe: PipeNode): GoValue {
    this.#node = pipe;
    let value: Final = NOTHING;
    for (const command of pipe.commands) {
      value = this.#command(dot, command, value);
      // An interface holding nothing is nothing.
      if (value === null) value = undefined;
    }
    const result = value === NOTHING ? undefined : value;
    for (const variable of pipe.variables) {
      if (pipe.assign) this.#assign(variable, result);
      else this.#variables.push({ name: variable.path[0] ?? "", value: result });
    }
    return result;
  }

  #assign(node: VariableNode, value: GoValue): void {
    const variable = this.#variables.findLast(({ name }) => name === node.path[0]);
    if (variable === undefined) return this.#fail(`undefined variable: ${node.path[0]}`);
    variable.value = value;
  }

  #command(dot: GoValue, command: CommandNode, final: Final): GoValue {
    this.#step();
    const [first] = command.args;
    if (first === undefined) return undefined;
    switch (first.type) {
      case "field":
        this.#node = first;
        return this.#path(dot, dot, first, first.path, command.args, final);
      case "chain":
        return this.#chain(dot, first, command.args, final);
      case "identifier":
        return this.#function(dot, first, command, command.args, final);
      case "pipe":
        this.#notFunction(command.args, final);
        return this.#pipeline(dot, first);
      case "variable":
        return this.#variable(dot, first, command.args, final);
      case "bool":
      case "dot":
      case "nil":
      case "number":
      case "string":
        this.#node = first;
        this.#notFunction(command.args, final);
        return first.type === "nil" ? this.#fail("nil is not a command") : this.#literal(dot, first);
    }
  }

  #literal(dot: GoValue, node: Operand): GoValue {
    switch (node.type) {
      case "bool":
        return node.value;
      case "dot":
        return dot;
      case "string":
        return node.text;
      case "number":
        return this.#number(node);
      case "chain":
      case "field":
      case "identifier":
      case "nil":
      case "pipe":
      case "variable":
        return this.#fail(`can't evaluate command ${quote(printNode(node))}`);
    }
  }

  /** A constant where nothing says which type is wanted: its spelling decides. */
  #number(node: NumberNode): GoValue {
    this.#node = node;
    const hex = /^[+-]?0[xX]/.test(node.text) && !/[pP]/.test(node.text);
    const char = node.text.startsWith("'");
    if (node.float !== undefined && !hex && !char && /[.eEpP]/.test(node.text)) return node.float;
    return node.int ?? this.#fail(`${node.text} overflows int`);
  }

  #notFunction(args: readonly Operand[], final: Final): void {
    if (args.length > 1 || final !== NOTHING)
      this.#fail(`can't give argument to non-function ${printNode(args[0] as Operand)}`);
  }

  #chain(dot: GoValue, node: Operand & { type: "chain" }, args: readonly Operand[], final: Final): GoValue {
    this.#node = node;
    if (node.node.type === "nil") this.#fail(`indirection through explicit nil in ${printNode(node)}`);
    const base = this.#argument(dot, undefined, node.node);
    return this.#path(dot, base, node, node.path, args, final);
  }

  #variable(dot: GoValue, node: VariableNode, args: readonly Operand[], final: Final): GoValue {
    this.#node = node;
    const [name, ...path] = node.path;
    const variable = this.#variables.findLast((entry) => entry.name === name);
    if (variable === undefined) return this.#fail(`undefined variable: ${name}`);
    if (path.length > 0) return this.#path(dot, variable.value, node, path, args, final);
    if (args.length > 0) this.#notFunction(args, final);
    return variable.value;
  }

  /** `.A.B.C arg…`: only the last name may take arguments. */
  #path(
    dot: GoValue,
    base: GoValue,
    node: Node,
    path: readonly string[],
    args: readonly Operand[],
    final: Final,
  ): GoValue {
    let receiver = base;
    for (const [i, name] of path.entries()) {
      const last = i === path.length - 1;
      receiver = this.#field(dot, name, node, last ? args : [], last ? final : NOTHING, receiver);
    }
    return receiver;
  }

  #field(dot: GoValue, name: string, node: Node, args: readonly Operand[], final: Final, receiver: GoValue): GoValue {
    if (receiver === undefined) {
      if (this.#execution.missingKey === "error") this.#fail(`nil data; no entry for key ${quote(name)}`);
      return undefined;
    }
    if (receiver === null) return this.#fail(`nil pointer evaluating interface {}.${name}`);
    const method = methodOf(receiver, name);
    if (method !== undefined) return this.#call(dot, method, node, name, args, final);
    const hasArgs = args.length > 1 || final !== NOTHING;
    if (receiver instanceof GoStruct && Object.hasOwn(receiver.fields, name)) {
      if (hasArgs) this.#fail(`${name} has arguments but cannot be invoked as function`);
      return receiver.fields[name];
    }
    if (kindOf(receiver) === "map") {
      if (hasArgs) this.#fail(`${name} is not a method but has arguments`);
      if (mapHas(receiver, name)) return mapGet(receiver, name);
      if (this.#execution.missingKey === "error") this.#fail(`map has no entry for key ${quote(name)}`);
      return this.#execution.missingKey === "zero" ? mapZero(receiver) : undefined;
    }
    return this.#fail(`can't evaluate field ${name} in type ${typeName(receiver)}`);
  }

  #function(
    dot: GoValue,
    node: Operand & { type: "identifier" },
    at: Node,
    args: readonly Operand[],
    final: Final,
  ): GoValue {
    this.#node = node;
    const own = this.#execution.functions.get(node.name);
    if (own !== undefined) return this.#call(dot, own, at, node.name, args, final);
    const builtin = builtins.get(node.name);
    if (builtin === undefined) return this.#fail(`${quote(node.name)} is not a defined function`);
    return this.#call(dot, builtin, at, node.name, args, final, true);
  }

  /** `args` begins with the function itself, or is empty. */
  #call(
    dot: GoValue,
    fn: GoFunction,
    node: Node,
    name: string,
    args: readonly Operand[],
    final: Final,
    builtin = false,
  ): GoValue {
    const operands = args.slice(1);
    const count = operands.length + (final === NOTHING ? 0 : 1);
    const fixed = fn.params.length;
    if (fn.variadic !== undefined && count < fixed)
      this.#fail(`wrong number of args for ${name}: want at least ${fixed} got ${operands.length}`);
    if (fn.variadic === undefined && count !== fixed)
      this.#fail(`wrong number of args for ${name}: want ${fixed} got ${count}`);
    if (builtin && (name === "and" || name === "or")) return this.#shortCircuit(dot, name, operands, final);
    const values = operands.map((operand, i) => this.#argument(dot, fn.params[i] ?? fn.variadic, operand));
    if (final !== NOTHING) values.push(this.#validate(final, fn.params[operands.length] ?? fn.variadic));
    const callee = args[1] === undefined ? formatValue(values[0]) : printNode(args[1]);
    try {
      const result = builtin && name === "call" ? callFunction(callee, values[0], values.slice(1)) : fn.call(...values);
      if (typeof result === "string" && result.length > this.#out.limits.outputLength)
        throw new Error(`result exceeds the limit of ${this.#out.limits.outputLength} characters`);
      return result;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      this.#node = node;
      return this.#fail(`error calling ${name}: ${error.message}`, error);
    }
  }

  #shortCircuit(dot: GoValue, name: "and" | "or", operands: readonly Operand[], final: Final): GoValue {
    let value: GoValue;
    for (const operand of operands) {
      value = this.#argument(dot, undefined, operand);
      if (isTrue(value) === (name === "or")) return value;
    }
    return final === NOTHING ? value : final;
  }

  #argument(dot: GoValue, type: GoType<GoValue> | undefined, node: Operand): GoValue {
    this.#node = node;
    this.#step();
    switch (node.type) {
      case "dot":
        return this.#validate(dot, type);
      case "nil":
        if (type === undefined || type.nilable) return type?.zero;
        return this.#fail(`cannot assign nil to ${type.name}`);
      case "field":
        return this.#validate(this.#path(dot, dot, node, node.path, [], NOTHING), type);
      case "variable":
        return this.#validate(this.#variable(dot, node, [], NOTHING), type);
      case "pipe":
        return this.#validate(this.#pipeline(dot, node), type);
      case "identifier":
        return this.#validate(this.#function(dot, node, node, [], NOTHING), type);
      case "chain":
        return this.#validate(this.#chain(dot, node, [], NOTHING), type);
      case "bool":
      case "number":
      case "string":
        return this.#constant(dot, type, node);
    }
  }

  /** A literal as an argument must fit the parameter; numbers take its type. */
  #constant(dot: GoValue, type: GoType<GoValue> | undefined, node: Operand): GoValue {
    const wrong = (wanted: string): never => this.#fail(`expected ${wanted}; found ${printNode(node)}`);
    switch (type?.kind) {
      case "bool":
        return node.type === "bool" ? node.value : wrong("bool");
      case "string":
        return node.type === "string" ? node.text : wrong("string");
      case "int":
        return node.type === "number" && node.int !== undefined ? node.int : wrong("integer");
      case "float64":
        return node.type === "number" && node.float !== undefined ? node.float : wrong("float");
      case "other":
        return this.#fail(`can't handle ${printNode(node)} for arg of type ${type.name}`);
      case "any":
      case undefined:
        return this.#literal(dot, node);
    }
  }

  #validate(value: GoValue, type: GoType<GoValue> | undefined): GoValue {
    if (type === undefined || type.kind === "any") return value;
    if (value === undefined) return type.nilable ? type.zero : this.#fail(`invalid value; expected ${type.name}`);
    if (type.accepts(value)) return value;
    return this.#fail(`wrong type for value; expected ${type.name}; got ${typeName(value)}`);
  }
}
