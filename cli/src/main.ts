import process from "node:process";
import { ConfigError, TocsinError } from "@tocsin/platform";
import type { Command, CommandIo } from "./command.ts";
import { commands } from "./commands.ts";
import { VERSION } from "./version.ts";

const args = process.argv.slice(2);
const interrupted = new AbortController();
const io: CommandIo = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
  env: process.env,
  interrupted: interrupted.signal,
};
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => interrupted.abort(new Error(signal)));

process.exitCode = await main();

async function main(): Promise<number> {
  const [first = "--help"] = args;
  if (first === "--version" || first === "version") {
    io.out(`tocsin ${VERSION} (node ${process.version})`);
    return 0;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    io.out(usage());
    return 0;
  }
  const found = find(args);
  if (!found) {
    io.err(`tocsin: there is no command ${JSON.stringify(first)}\n\n${usage()}`);
    return 2;
  }
  const { command, rest } = found;
  if (rest.includes("--help") || rest.includes("-h")) {
    io.out(command.help());
    return 0;
  }
  try {
    return await command.run(rest, io);
  } catch (error) {
    if (interrupted.signal.aborted) return 130;
    io.err(explain(command, error));
    return 1;
  }
}

/** The command with the longest name that the arguments start with. */
function find(words: readonly string[]): { command: Command; rest: readonly string[] } | undefined {
  for (const length of [2, 1]) {
    const command = commands.find(({ name }) => name === words.slice(0, length).join(" "));
    if (command) return { command, rest: words.slice(length) };
  }
  return undefined;
}

function explain(command: Command, error: unknown): string {
  if (error instanceof ConfigError) return error.message;
  if (error instanceof TocsinError) return `tocsin ${command.name}: ${error.message}`;
  return `tocsin ${command.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
}

function usage(): string {
  const list = commands.map(({ name, summary }) => `  ${name.padEnd(16)} ${summary}`).join("\n");
  return `usage: tocsin COMMAND [flags]\n\n${list}\n\n\`tocsin COMMAND --help\` explains one.`;
}
