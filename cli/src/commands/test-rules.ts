import { findRuleFiles, runRuleTests } from "@tocsin/alerting";
import type { Command } from "../command.ts";
import { readCommandLine } from "../settings/read-settings.ts";

export const testRulesCommand: Command = {
  name: "test rules",
  summary: "run rule unit tests in promtool's format",
  help: () => "usage: tocsin test rules FILE…\n\nGlobs are allowed. Exits with 1 when a test fails.",
  async run(args, io) {
    const { names } = readCommandLine(args, io.env);
    if (names.length === 0) {
      io.err(this.help());
      return 2;
    }
    let failed = 0;
    for (const { file, tests, failures } of await runRuleTests(await findRuleFiles(names))) {
      io.out(`${file}: ${failures.length === 0 ? `passed ${tests} tests` : "FAILED"}`);
      for (const failure of failures) io.out(failure.replaceAll(/^/gm, "  "));
      failed += failures.length;
    }
    return failed === 0 ? 0 : 1;
  },
};
