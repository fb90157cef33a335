/** One subcommand of `tocsin`. */
export interface Command {
  /** As typed: `up`, `check config`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The text of `--help`. */
  help(): string;
  /** Resolves with the exit code; what it throws is shown as one message with exit code 1. */
  run(args: readonly string[], io: CommandIo): Promise<number>;
}

export interface CommandIo {
  out(line: string): void;
  err(line: string): void;
  readonly env: NodeJS.ProcessEnv;
  /** Aborted on SIGINT and SIGTERM. */
  readonly interrupted: AbortSignal;
}
