import { type BacktestAnswer, type BacktestRun, formatDuration, formatLabels } from "@tocsin/model";

const MAX_FIRINGS = 10;

/** A backtest's answer for people: what fired, who was told, and how far to trust it. */
export function backtestReport(answer: BacktestAnswer): string[] {
  const { candidate, present, from, to, timeZone, notes } = answer;
  return [
    `replayed ${minutes(from)} to ${minutes(to)}`,
    "",
    ...table(["alert", "firings", "firing for", "longest", "pending only", "history"], ruleRows(candidate, present)),
    "",
    ...table(["receiver", "messages", "at night", "why"], receiverRows(candidate, present)),
    `(at night: 22:00 to 07:00 ${timeZone})`,
    ...mutedLines(candidate),
    ...firingLines(candidate),
    ...(notes.length === 0 ? [] : ["", ...notes.map((note) => `note: ${note}`)]),
    ...candidate.rules.flatMap(({ alert, errors }) => errors.map((error) => `error: ${alert}: ${error}`)),
  ];
}

function ruleRows(candidate: BacktestRun, present: BacktestRun | null): string[][] {
  return candidate.rules.flatMap((rule) => {
    const row = (
      name: string,
      { firings, firingSeconds, longestSeconds, pendingOnly }: typeof rule,
      history: string,
    ) => [name, String(firings), lasted(firingSeconds), lasted(longestSeconds), String(pendingOnly), history];
    const now = present?.rules.filter(({ alert }) => alert === rule.alert) ?? [];
    return [
      row(rule.alert, rule, `${Math.round(rule.history.share * 100)} %`),
      ...now.map((each) => row("  in force now", each, `${Math.round(each.history.share * 100)} %`)),
    ];
  });
}

function receiverRows(candidate: BacktestRun, present: BacktestRun | null): string[][] {
  const rows = (run: BacktestRun, suffix: string) =>
    run.receivers.map(({ receiver, integration, notifications, atNight, reasons }) => [
      `${receiver} (${integration})${suffix}`,
      String(notifications),
      notifications === 0 ? "" : `${Math.round((atNight / notifications) * 100)} %`,
      Object.entries(reasons)
        .map(([reason, count]) => `${count} ${reason}`)
        .join(", "),
    ]);
  const own = rows(candidate, "");
  return [
    ...(own.length === 0 ? [["nobody", "0", "", ""]] : own),
    ...(present === null ? [] : rows(present, ", as in force now")),
  ];
}

function mutedLines({ muted }: BacktestRun): string[] {
  return muted.map(
    ({ receiver, reason, by, flushes }) =>
      `kept from ${receiver}: ${flushes} ${flushes === 1 ? "time" : "times"} by ${reason.replaceAll("_", " ")} ${by.slice(0, 3).join(", ")}`,
  );
}

function firingLines({ rules }: BacktestRun): string[] {
  const total = rules.reduce((sum, { firings }) => sum + firings, 0);
  const shown = rules
    .flatMap(({ first }) => first)
    .toSorted((a, b) => (a.startsAt < b.startsAt ? -1 : a.startsAt > b.startsAt ? 1 : 0))
    .slice(0, MAX_FIRINGS)
    .map(({ startsAt, seconds, endsAt, value, labels: { alertname = "", ...labels } }) => [
      minutes(startsAt),
      endsAt === null ? `${lasted(seconds)}, goes on` : lasted(seconds),
      value === null ? "" : String(Number(value.toPrecision(4))),
      `${alertname}${formatLabels(labels)}`,
    ]);
  if (shown.length === 0) return [];
  const rest = total > shown.length ? [`… and ${total - shown.length} more; --json has them`] : [];
  return ["", ...table(["fired at (UTC)", "for", "value", "alert"], shown), ...rest];
}

const lasted = (seconds: number) => (seconds === 0 ? "-" : formatDuration(Math.round(seconds * 1000)));
const minutes = (time: string) => time.slice(0, 16).replace("T", " ");

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? "").length)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
