import { quote } from "./quote.ts";

/** The text a node was read from, for the place in an error. */
export interface Source {
  readonly name: string;
  readonly text: string;
}

interface At {
  readonly source: Source;
  /** Index into the source's text. */
  readonly pos: number;
}

export interface TextNode extends At {
  readonly type: "text";
  text: string;
}
export interface ActionNode extends At {
  readonly type: "action";
  readonly line: number;
  readonly pipe: PipeNode;
}
export interface BranchNode extends At {
  readonly type: "if" | "range" | "with";
  readonly line: number;
  readonly pipe: PipeNode;
  readonly list: ListNode;
  readonly elseList: ListNode | undefined;
}
export interface TemplateNode extends At {
  readonly type: "template";
  readonly line: number;
  name: string;
  readonly pipe: PipeNode | undefined;
}
export interface JumpNode extends At {
  readonly type: "break" | "continue";
  readonly line: number;
}
export interface ListNode extends At {
  readonly type: "list";
  readonly nodes: Statement[];
}
export interface PipeNode extends At {
  readonly type: "pipe";
  readonly line: number;
  readonly assign: boolean;
  readonly variables: readonly VariableNode[];
  readonly commands: CommandNode[];
}
export interface CommandNode extends At {
  readonly type: "command";
  readonly args: Operand[];
}
interface IdentifierNode extends At {
  readonly type: "identifier";
  readonly name: string;
}
export interface VariableNode extends At {
  readonly type: "variable";
  /** The variable with its `$`, then the fields. */
  readonly path: readonly string[];
}
interface FieldNode extends At {
  readonly type: "field";
  readonly path: readonly string[];
}
interface ChainNode extends At {
  readonly type: "chain";
  readonly node: Operand;
  readonly path: readonly string[];
}
interface DotNode extends At {
  readonly type: "dot";
}
interface NilNode extends At {
  readonly type: "nil";
}
interface BoolNode extends At {
  readonly type: "bool";
  readonly value: boolean;
}
export interface NumberNode extends At {
  readonly type: "number";
  readonly text: string;
  readonly int: bigint | undefined;
  readonly float: number | undefined;
}
interface StringNode extends At {
  readonly type: "string";
  readonly quoted: string;
  readonly text: string;
}

export type Statement = TextNode | ActionNode | BranchNode | TemplateNode | JumpNode;
export type Operand =
  | IdentifierNode
  | VariableNode
  | FieldNode
  | ChainNode
  | DotNode
  | NilNode
  | BoolNode
  | NumberNode
  | StringNode
  | PipeNode;
export type Node = Statement | Operand | ListNode | CommandNode;

/** One named template. */
export interface Tree {
  readonly name: string;
  readonly source: Source;
  readonly root: ListNode;
}

/** A node as it could be written in a template; errors quote it. */
export function printNode(node: Node): string {
  switch (node.type) {
    case "text":
      return node.text;
    case "action":
      return `{{${printNode(node.pipe)}}}`;
    case "if":
    case "range":
    case "with": {
      const otherwise = node.elseList === undefined ? "" : `{{else}}${printNode(node.elseList)}`;
      return `{{${node.type} ${printNode(node.pipe)}}}${printNode(node.list)}${otherwise}{{end}}`;
    }
    case "template":
      return `{{template ${quote(node.name)}${node.pipe === undefined ? "" : ` ${printNode(node.pipe)}`}}}`;
    case "break":
    case "continue":
      return `{{${node.type}}}`;
    case "list":
      return node.nodes.map(printNode).join("");
    case "pipe": {
      const names = node.variables.map(printNode).join(", ");
      const head = node.variables.length === 0 ? "" : `${names} ${node.assign ? "=" : ":="} `;
      return head + node.commands.map(printNode).join(" | ");
    }
    case "command":
      return node.args.map((arg) => (arg.type === "pipe" ? `(${printNode(arg)})` : printNode(arg))).join(" ");
    case "identifier":
      return node.name;
    case "variable":
      return node.path.join(".");
    case "field":
      return node.path.map((name) => `.${name}`).join("");
    case "chain": {
      const base = node.node.type === "pipe" ? `(${printNode(node.node)})` : printNode(node.node);
      return base + node.path.map((name) => `.${name}`).join("");
    }
    case "dot":
      return ".";
    case "nil":
      return "nil";
    case "bool":
      return String(node.value);
    case "number":
      return node.text;
    case "string":
      return node.quoted;
  }
}

/** `NAME:LINE:COLUMN`; the column counts bytes from 0. */
export function locate(node: Node): string {
  const before = node.source.text.slice(0, node.pos);
  const line = before.split("\n").length;
  const column = new TextEncoder().encode(before.slice(before.lastIndexOf("\n") + 1)).length;
  return `${node.source.name}:${line}:${column}`;
}

/** Whether a template holds nothing but white space. */
export function isEmptyTree(list: ListNode): boolean {
  return list.nodes.every((node) => node.type === "text" && node.text.trim() === "");
}
