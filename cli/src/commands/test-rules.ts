import { runRuleTests } from "@tocsin/alerting";
import type { Command } from "../command.ts";

export const testRulesCommand: Command = {
  name: "test rules",
  summary: "run rule unit tests in promtool's format",
  help: () => "usage: tocsin test rules FILE…\n\nExits with 1 when a test fails.",
  async run(args, io) {
    if (args.length === 0) {
      io.err(this.help());
      return 2;
    }
    let failed = 0;
    for (const { file, failures } of await runRuleTests(args)) {
      io.out(`${file}: ${failures.length === 0 ? "passed" : "FAILED"}`);
      for (const failure of failures) io.out(`  ${failure}`);
      failed += failures.length;
    }
    return failed === 0 ? 0 : 1;
  },
};
