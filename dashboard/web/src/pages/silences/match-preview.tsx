import { compileMatchers, matchesAll, type Matcher } from "@tocsin/model";
import { useTranslation } from "react-i18next";
import type { GettableAlert } from "../../api/alertmanager.ts";
import classes from "./silence-dialog.module.css";
import { problemOf } from "./silence-dialog.tsx";

const NAMED = 6;

/** The alerts that matchers hold for; none while one of the matchers cannot stand. */
export function matchedBy(matchers: readonly Matcher[], alerts: readonly GettableAlert[]): GettableAlert[] {
  if (matchers.some((matcher) => problemOf(matcher) !== undefined)) return [];
  const compiled = compileMatchers(matchers);
  return alerts.filter(({ labels }) => matchesAll(compiled, labels));
}

/** Counts, as the matchers are written, what they would mute, and warns of nothing and of everything. */
export function MatchPreview({
  matchers,
  alerts,
  onlyEmpty,
}: {
  matchers: readonly Matcher[];
  alerts: readonly GettableAlert[];
  onlyEmpty: boolean;
}) {
  const { t } = useTranslation();
  const matched = matchedBy(matchers, alerts);
  const everything = matched.length === alerts.length && alerts.length > 1;
  const warning = onlyEmpty
    ? t("silences.warnEmpty")
    : matched.length === 0
      ? t("silences.warnNone")
      : everything
        ? t("silences.warnAll")
        : undefined;
  return (
    <div className={classes["preview"]} role="status" data-warn={warning !== undefined}>
      <strong>
        {matched.length === 0 ? t("silences.matchesNone") : t("silences.matches", { count: matched.length })}
      </strong>
      {warning !== undefined && <p className="dim">{warning}</p>}
      <ul className="dim">
        {matched.slice(0, NAMED).map(({ fingerprint, labels }) => (
          <li key={fingerprint}>{[labels["alertname"], labels["service"]].filter(Boolean).join(" · ")}</li>
        ))}
      </ul>
    </div>
  );
}
