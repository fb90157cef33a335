import type { Command } from "./command.ts";
import { alertmanager } from "./commands/alertmanager.ts";
import { backtestCommand } from "./commands/backtest.ts";
import { checkConfigCommand } from "./commands/check-config.ts";
import { checkRulesCommand } from "./commands/check-rules.ts";
import { drill } from "./commands/drill.ts";
import { roleCommand } from "./commands/role.ts";
import { testRulesCommand } from "./commands/test-rules.ts";
import { up } from "./commands/up.ts";
import { ROLES } from "./up/roles.ts";

/** Every subcommand, in the order of `tocsin --help`. */
export const commands: readonly Command[] = [
  up,
  alertmanager,
  ...ROLES.map(roleCommand),
  drill,
  checkConfigCommand,
  checkRulesCommand,
  testRulesCommand,
  backtestCommand,
];
