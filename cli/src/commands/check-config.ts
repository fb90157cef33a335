import { checkConfig } from "@tocsin/alerting";
import { systemClock } from "@tocsin/platform";
import type { Command } from "../command.ts";
import { readSettings } from "../settings/read-settings.ts";

export const checkConfigCommand: Command = {
  name: "check config",
  summary: "check alertmanager.yml files",
  help: () =>
    "usage: tocsin check config [--config.file FILE] FILE…\n\nPrints each mistake as file:line:column and exits with 1 when there is one.",
  async run(args, io) {
    const files = args.filter((arg) => !arg.startsWith("--"));
    const { config_file: fromFlag } = readSettings(files.length > 0 ? [] : args, io.env);
    const named = files.length > 0 ? files : fromFlag === "" ? [] : [fromFlag];
    if (named.length === 0) {
      io.err(this.help());
      return 2;
    }
    for (const file of named) {
      const { receivers, warnings } = checkConfig(file, { clock: systemClock });
      for (const warning of warnings) io.err(`${file}: warning: ${warning}`);
      io.out(`${file}: valid, ${receivers.length} receivers`);
    }
    return 0;
  },
};
