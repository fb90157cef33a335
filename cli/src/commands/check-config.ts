import { checkConfig } from "@tocsin/alerting";
import { systemClock } from "@tocsin/platform";
import type { Command } from "../command.ts";
import { readCommandLine } from "../settings/read-settings.ts";

export const checkConfigCommand: Command = {
  name: "check config",
  summary: "check alertmanager.yml files",
  help: () =>
    [
      "usage: tocsin check config FILE…   or   tocsin check config --config.file FILE",
      "",
      "Prints each mistake as file:line:column and exits with 1 when there is one.",
    ].join("\n"),
  async run(args, io) {
    const { settings, names } = readCommandLine(args, io.env);
    const files = [...names, ...(settings.config_file === "" ? [] : [settings.config_file])];
    if (files.length === 0) {
      io.err(this.help());
      return 2;
    }
    for (const file of files) {
      const { routes, receivers, inhibitRules, warnings } = checkConfig(file, {
        clock: systemClock,
        extraReceivers: settings.receivers,
        ...(settings.file !== undefined && { extraReceiversFile: settings.file }),
      });
      for (const warning of warnings) io.err(`${file}: warning: ${warning}`);
      io.out(`${file}: valid: ${routes} routes, ${receivers.length} receivers, ${inhibitRules} inhibition rules`);
    }
    return 0;
  },
};
