import { checkRules } from "@tocsin/alerting";
import type { Command } from "../command.ts";

export const checkRulesCommand: Command = {
  name: "check rules",
  summary: "check rule files in Prometheus format",
  help: () =>
    "usage: tocsin check rules FILE…\n\nGlobs are allowed. Prints each mistake as file:line:column and exits with 1 when there is one.",
  async run(args, io) {
    if (args.length === 0) {
      io.err(this.help());
      return 2;
    }
    for (const { file, groups, rules } of await checkRules(args))
      io.out(`${file}: valid, ${groups} groups, ${rules} rules`);
    return 0;
  },
};
