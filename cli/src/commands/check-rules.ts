import { checkRules } from "@tocsin/alerting";
import { formatLabels } from "@tocsin/model";
import type { Command } from "../command.ts";
import { readCommandLine } from "../settings/read-settings.ts";

export const checkRulesCommand: Command = {
  name: "check rules",
  summary: "check rule files in Prometheus format",
  help: () =>
    [
      "usage: tocsin check rules FILE…   or   tocsin check rules --rules FILE…",
      "",
      "Globs are allowed. Prints each mistake as file:line:column and exits with 1 when there is one.",
    ].join("\n"),
  async run(args, io) {
    const { settings, names } = readCommandLine(args, io.env);
    const files = [...names, ...settings.rules];
    if (files.length === 0) {
      io.err(this.help());
      return 2;
    }
    for (const { file, groups, rules, duplicates, warnings } of await checkRules(files)) {
      for (const warning of warnings) io.err(`${file}: warning: ${warning}`);
      for (const { name, labels } of duplicates)
        io.err(`${file}: warning: ${name}${formatLabels(labels)} stands twice`);
      io.out(`${file}: valid: ${groups} groups, ${rules} rules`);
    }
    return 0;
  },
};
