/** One instruction that the stage runner understands; the rest of Dockerfile's language is an error. */
export type Instruction =
  | { kind: "workdir"; path: string }
  | { kind: "copy"; from: string | undefined; sources: readonly string[]; target: string }
  | { kind: "run"; command: string }
  | { kind: "env"; values: Readonly<Record<string, string>> }
  | { kind: "user"; user: string }
  | { kind: "entrypoint" | "cmd" | "healthcheck"; argv: readonly string[] }
  | { kind: "noted" };

export interface Stage {
  readonly name: string;
  /** Name of an earlier stage, or an image. */
  readonly base: string;
  readonly instructions: readonly Instruction[];
}

/** Reads the part of Dockerfile's language that deploy/Dockerfile uses. Throws with the line of anything else. */
export function parseDockerfile(text: string): Stage[] {
  const args = new Map<string, string>();
  const stages: { name: string; base: string; instructions: Instruction[] }[] = [];
  for (const line of logicalLines(text)) {
    const [, word = "", rest = ""] = /^(\w+)\s+(.*)$/s.exec(line) ?? [];
    const stage = stages.at(-1);
    if (word === "ARG") {
      const [name = "", value = ""] = rest.split("=", 2);
      args.set(name, value);
    } else if (word === "FROM") {
      const [, base = "", name = ""] = /^(\S+) AS (\S+)$/.exec(expand(rest, args)) ?? [];
      if (base === "") throw new Error(`every stage needs a name: ${line}`);
      stages.push({ name, base, instructions: [] });
    } else if (stage === undefined) {
      throw new Error(`before the first stage: ${line}`);
    } else {
      stage.instructions.push(parseInstruction(word, rest, line));
    }
  }
  return stages;
}

function parseInstruction(word: string, rest: string, line: string): Instruction {
  switch (word) {
    case "WORKDIR":
      return { kind: "workdir", path: rest };
    case "COPY": {
      const [, from] = /^--from=(\S+) /.exec(rest) ?? [];
      const paths = rest.replace(/^--from=\S+ /, "").split(/\s+/);
      if (paths.some((path) => path.startsWith("--"))) throw new Error(`unknown option: ${line}`);
      return { kind: "copy", from, sources: paths.slice(0, -1), target: paths.at(-1) ?? "." };
    }
    case "RUN":
      return { kind: "run", command: rest.replaceAll(/--mount=\S+ /g, "") };
    case "ENV":
      return { kind: "env", values: Object.fromEntries([...rest.matchAll(/(\w+)=(\S+)/g)].map(([, k, v]) => [k, v])) };
    case "USER":
      return { kind: "user", user: rest };
    case "ENTRYPOINT":
    case "CMD":
      return { kind: word === "CMD" ? "cmd" : "entrypoint", argv: JSON.parse(rest) as string[] };
    case "HEALTHCHECK":
      return { kind: "healthcheck", argv: JSON.parse(rest.replace(/^.*? CMD /, "")) as string[] };
    case "LABEL":
    case "EXPOSE":
    case "VOLUME":
      return { kind: "noted" };
    default:
      throw new Error(`unknown instruction: ${line}`);
  }
}

function logicalLines(text: string): string[] {
  return text
    .split("\n")
    .filter((line) => !/^\s*#/.test(line))
    .join("\n")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

function expand(text: string, args: ReadonlyMap<string, string>): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => args.get(name) ?? "");
}
