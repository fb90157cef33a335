import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { backtest as replay, findRuleFiles, loadRuleFiles } from "@tocsin/alerting";
import { BacktestAnswer, type BacktestRequest, parseTime, Problem } from "@tocsin/model";
import { createLogger, errorMessage, Registry, systemClock, takeDataDir, TocsinError } from "@tocsin/platform";
import { createMetricStore, MetricStoreConfig } from "@tocsin/store";
import { backtestReport } from "../backtest/report.ts";
import type { Command, CommandIo } from "../command.ts";

const RULE_DEFAULTS = { evaluationIntervalMs: 60_000, queryOffsetMs: 0 };

export const backtestCommand: Command = {
  name: "backtest",
  summary: "replay rules and routing over stored history",
  help: () =>
    [
      "usage: tocsin backtest [--rules FILE…] [--config.file FILE] [--from now-7d] [--to now] [--url BASE | --data-dir DIR]",
      "",
      "Says what would have fired and whom it would have told, beside the rules of the same names in force. Asks the",
      "Tocsin that runs at --url; with --data-dir it reads the store of one that does not run. Sends nothing.",
      "",
      "  --rules         rule files, globs allowed; without them the rules in force",
      "  --config.file   alertmanager.yml; without it the one in force",
      "  --from, --to    RFC 3339, Unix seconds, now or now-7d (now-7d to now)",
      "  --time-zone     whose nights are counted, 22:00 to 07:00 (this machine's)",
      "  --url           where Tocsin runs (http://127.0.0.1:9400, TOCSIN_URL)",
      "  --data-dir      the data folder of a Tocsin that does not run; needs --rules and --config.file",
      "  --json          the whole answer as JSON",
    ].join("\n"),
  async run(args, io) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        rules: { type: "string", multiple: true, default: [] },
        "config.file": { type: "string" },
        from: { type: "string", default: "now-7d" },
        to: { type: "string", default: "now" },
        "time-zone": { type: "string", default: Intl.DateTimeFormat().resolvedOptions().timeZone },
        url: { type: "string" },
        "data-dir": { type: "string" },
        json: { type: "boolean", default: false },
      },
    });
    const what: What = {
      ruleFiles: await findRuleFiles(values.rules),
      configFile: values["config.file"],
      from: values.from,
      to: values.to,
      timeZone: values["time-zone"],
    };
    if (values.rules.length > 0 && what.ruleFiles.length === 0)
      throw new TocsinError("TOCSIN_CONFIG_UNREADABLE", `no file matches ${values.rules.join(", ")}`);
    if (values.url !== undefined && values["data-dir"] !== undefined)
      throw new TocsinError("TOCSIN_CONFIG_INVALID", "--url and --data-dir exclude each other");
    const answer =
      values["data-dir"] === undefined
        ? await askTocsin(values.url ?? io.env["TOCSIN_URL"] ?? "http://127.0.0.1:9400", what, io)
        : await readStore(values["data-dir"], what, io);
    if (values.json) io.out(JSON.stringify(answer, null, 2));
    else for (const line of backtestReport(answer)) io.out(line);
    return 0;
  },
};

interface What {
  readonly ruleFiles: readonly string[];
  readonly configFile: string | undefined;
  readonly from: string;
  readonly to: string;
  readonly timeZone: string;
}

async function askTocsin(base: string, what: What, io: CommandIo): Promise<BacktestAnswer> {
  const { ruleFiles, configFile, from, to, timeZone } = what;
  // Mistakes are said with the file's own name, before anything is sent.
  loadRuleFiles(ruleFiles, RULE_DEFAULTS);
  const request: Partial<BacktestRequest> = {
    from,
    to,
    timeZone,
    ...(ruleFiles.length > 0 && { rules: ruleFiles.map((file) => readFileSync(file, "utf8")) }),
    ...(configFile !== undefined && { routing: readFileSync(configFile, "utf8") }),
  };
  const url = `${base.replace(/\/$/, "")}/api/tocsin/v1/backtest`;
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(request),
    signal: io.interrupted,
  }).catch((error: unknown) => {
    throw new TocsinError(
      "TOCSIN_UNAVAILABLE",
      `nothing answers at ${base} (${errorMessage(error)}); is \`npm start\` running? --data-dir reads the store of one that is not`,
    );
  });
  const body: unknown = await response.json().catch(() => undefined);
  if (response.ok) return BacktestAnswer.parse(body);
  const problem = Problem.safeParse(body);
  throw new TocsinError(
    "TOCSIN_BAD_REQUEST",
    problem.success ? (problem.data.detail ?? problem.data.title) : `${response.status} from ${url}`,
  );
}

async function readStore(dir: string, what: What, io: CommandIo): Promise<BacktestAnswer> {
  const { ruleFiles, configFile } = what;
  if (ruleFiles.length === 0 || configFile === undefined)
    throw new TocsinError("TOCSIN_CONFIG_INVALID", "--data-dir needs --rules and --config.file: nothing is in force");
  const rules = loadRuleFiles(ruleFiles, RULE_DEFAULTS);
  const dataDir = takeDataDir(dir);
  const store = createMetricStore({
    dataDir: dataDir.path,
    // A look at the past must not let go of any of it.
    config: MetricStoreConfig.parse({ retention: "10y", retention_size: 0 }),
    clock: systemClock,
    logger: createLogger({ level: "error" }),
    registry: new Registry(),
  });
  try {
    await store.start();
    const now = systemClock.now();
    return await replay({
      rules,
      routing: { configFile },
      fromMs: parseTime(what.from, now),
      toMs: parseTime(what.to, now),
      timeZone: what.timeZone,
      history: store,
      clock: systemClock,
      signal: io.interrupted,
    });
  } finally {
    await store.stop();
    dataDir.release();
  }
}
