import type { CommandNode, PipeNode } from "../nodes.ts";
import type { EscaperName } from "./escapers.ts";

/** Go's own escapers that a template may end a pipeline with. */
export const PREDEFINED: ReadonlySet<string> = new Set(["html", "urlquery"]);

const EQUIVALENTS: Readonly<Record<string, string>> = {
  _html_template_attrescaper: "html",
  _html_template_htmlescaper: "html",
  _html_template_rcdataescaper: "html",
  _html_template_urlescaper: "urlquery",
  _html_template_urlnormalizer: "urlquery",
};
const normalize = (name: string) => EQUIVALENTS[name] ?? name;

/** After the first the second changes nothing. */
const REDUNDANT: Readonly<Record<string, readonly string[]>> = {
  _html_template_commentescaper: ["_html_template_attrescaper", "_html_template_htmlescaper"],
  _html_template_cssescaper: ["_html_template_attrescaper"],
  _html_template_jsregexpescaper: ["_html_template_attrescaper"],
  _html_template_jsstrescaper: ["_html_template_attrescaper"],
  _html_template_jstmpllitescaper: ["_html_template_attrescaper"],
  _html_template_urlescaper: ["_html_template_urlnormalizer"],
};

/** The name of the function a command calls. */
export function calledName(command: CommandNode | undefined): string | undefined {
  const first = command?.args[0];
  return first?.type === "identifier" ? first.name : undefined;
}

/** Makes the pipeline end with these escapers; one that the template's author put there is taken into account. */
export function appendEscapers(pipe: PipeNode, names: readonly EscaperName[]): void {
  if (names.length === 0) return;
  const wanted: string[] = [...names];
  const last = pipe.commands.at(-1);
  const own = calledName(last);
  let kept = pipe.commands.length;
  if (last !== undefined && own !== undefined && PREDEFINED.has(own)) {
    if (pipe.commands.length === 1 && last.args.length > 1) {
      // {{html a b}} becomes {{_eval_args_ a b | html}}.
      last.args.splice(0, 1, ...identifierOf(pipe, "_eval_args_").args);
      pipe.commands.push(identifierOf(pipe, own));
      kept++;
    }
    let replaced = false;
    for (const [i, name] of wanted.entries())
      if (normalize(name) === normalize(own)) {
        wanted[i] = own;
        replaced = true;
      }
    if (replaced) kept--;
  }
  const commands = pipe.commands.slice(0, kept);
  for (const name of wanted) {
    const before = calledName(commands.at(-1));
    if (before !== undefined && REDUNDANT[before]?.includes(name) === true) continue;
    commands.push(identifierOf(pipe, name));
  }
  pipe.commands.splice(0, pipe.commands.length, ...commands);
}

function identifierOf(pipe: PipeNode, name: string): CommandNode {
  const at = { source: pipe.source, pos: pipe.pos };
  return { type: "command", ...at, args: [{ type: "identifier", ...at, name }] };
}
